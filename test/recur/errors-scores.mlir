// Scores under channel gates, and their adjoint.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.decayed_scores C1
func.func @test(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>) {
  // expected-error@+1 {{expected x of rank 2, got rank 1}}
  %0 = "recur.decayed_scores"(%a0, %a1, %a2) <{span = 0 : i32}> : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.decayed_scores C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<4xf32>) {
  // expected-error@+1 {{failed to verify that all of {x, k, g} have same type}}
  %0 = "recur.decayed_scores"(%a0, %a1, %a2) <{span = 0 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.decayed_scores C2
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<4x8xf32>) {
  // expected-error@+1 {{expected l of type tensor<4x4xf32>, got 'tensor<8x8xf32>'}}
  %0 = "recur.decayed_scores"(%a0, %a1, %a2) <{span = 0 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

// CONSTRAINT: recur.decayed_scores C3
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<4x8xf32>) {
  // expected-error@+1 {{expected span through for scores with a diagonal, got between}}
  %0 = "recur.decayed_scores"(%a0, %a1, %a2) <{diagonal, span = 1 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.decayed_scores_adjoint C1
func.func @test(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>, %a3: tensor<4x4xf32>) {
  // expected-error@+1 {{expected x of rank 2, got rank 1}}
  %0:3 = "recur.decayed_scores_adjoint"(%a0, %a1, %a2, %a3) <{span = 0 : i32}> : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

// CONSTRAINT: recur.decayed_scores_adjoint C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<5x8xf32>, %a3: tensor<4x4xf32>) {
  // expected-error@+1 {{failed to verify that all of {x, k, g, dx, dk, dg} have same type}}
  %0:3 = "recur.decayed_scores_adjoint"(%a0, %a1, %a2, %a3) <{span = 0 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<5x8xf32>, tensor<4x4xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>)
  return
}

// -----

// CONSTRAINT: recur.decayed_scores_adjoint C2
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<4x8xf32>, %a3: tensor<8x8xf32>) {
  // expected-error@+1 {{expected dl of type tensor<4x4xf32>, got 'tensor<8x8xf32>'}}
  %0:3 = "recur.decayed_scores_adjoint"(%a0, %a1, %a2, %a3) <{span = 0 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>)
  return
}

// -----

// CONSTRAINT: recur.decayed_scores_adjoint C3
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>, %a2: tensor<4x8xf32>, %a3: tensor<4x4xf32>) {
  // expected-error@+1 {{expected span through for scores with a diagonal, got between}}
  %0:3 = "recur.decayed_scores_adjoint"(%a0, %a1, %a2, %a3) <{diagonal, span = 1 : i32}> : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x4xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>)
  return
}
