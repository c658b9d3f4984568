// Sums of the columns of X[M,N] in float32 for sm_90 and later, the rows split over the four blocks of a
// cluster.
//
// A cluster takes 512 columns; block r sums the rows r, r + 4, ... and is responsible for 128 of the 512
// results. Four kernels differ in how the partial sums travel through distributed shared memory:
//   reduce_pull    between two cluster barriers, every block loads its columns from its peers;
//   reduce_push    every thread stores into its peer and arrives on the peer's barrier;
//   reduce_async   st.async: the stores count their bytes on the peer's barrier;
//   reduce_bulk    the copy engine moves the columns of one peer at once, counting bytes too.
// Warp w holds the columns of block w. The sums are in a fixed order, so all four give the same bits. The
// first cluster barrier, which tells the peers that the mbarrier exists, is split: the sums are made between
// its halves.
#include "Device.h"

namespace {

constexpr u32 ranks = 4, share = 128; ///< Columns of one block.
constexpr u32 inboxAt = ranks * share * 4, barrierAt = 2 * inboxAt;

struct Matrix {
  Global<const f32> source;
  Global<f32> target;
  i64 rows, columns, stride;
};

enum class Transport { pull, push, async, bulk };

/// Column of the first of the four sums that this thread makes.
SLUICE_DEVICE i64 firstColumn() { return i64(blockIndex() / ranks) * (ranks * share) + threadIndex() * 4; }

/// Sums of this block's rows; N is a multiple of 4.
SLUICE_DEVICE Vec<f32, 4> partialSums(const Matrix &matrix) {
  const i64 column = firstColumn();
  Vec<f32, 4> sum = {0, 0, 0, 0};
  for (i64 row = clusterRank(); row < matrix.rows; row += ranks) {
    const auto x =
        loadGlobal<4>(matrix.source + (row * matrix.stride + column), column < matrix.columns, 0.f);
    unrolled<4>([&](auto e) { sum(e) += x(e); });
  }
  return sum;
}

/// Sends the columns of block w, which warp w holds, to row `sender` of that block's inbox.
template <Transport transport>
SLUICE_DEVICE void send(const Vec<f32, 4> &sum, Shared<f32> partial, Shared<f32> inbox,
                        const Mbarrier &arrived) {
  const u32 receiver = warpUniform(warpIndex()), sender = clusterRank(), lane = laneIndex();
  const RemoteMbarrier barrier = mapMbarrier(arrived, receiver);
  const RemoteShared<f32> row = mapShared(inbox + i32(sender * share), receiver);
  if constexpr (transport == Transport::push) {
    unrolled<4>([&](auto e) { storeRemote(row + i32(lane * 4 + e), sum(e)); });
    mbarrierArriveRemote(barrier);
  } else if constexpr (transport == Transport::async) {
    storeAsync(row + i32(lane * 4), sum, barrier);
  } else {
    const Shared<f32> columns = partial + i32(receiver * share);
    storeShared(columns + i32(lane * 4), sum);
    fenceProxyAsyncShared();
    syncWarp();
    if (lane == 0)
      bulkCopyToPeer(row, columns, share * 4, barrier);
  }
}

SLUICE_DEVICE void storeResult(const Matrix &matrix, f32 sum) {
  const i64 column = i64(blockIndex()) * share + threadIndex();
  storeGlobal(matrix.target + column, sum, column < matrix.columns);
}

template <Transport transport> SLUICE_DEVICE void reducePushed(const Matrix &matrix) {
  const Shared<f32> partial = sharedMemory<f32>(0), inbox = sharedMemory<f32>(inboxAt);
  const Mbarrier arrived(sharedMemory<u64>(barrierAt));
  if (threadIndex() == 0) {
    mbarrierInit(arrived, transport == Transport::push ? ranks * 32 : 1);
    mbarrierFenceInit();
    if constexpr (transport != Transport::push)
      mbarrierArriveExpect(arrived, ranks * share * 4);
  }
  clusterArriveRelaxed(); // the fence above has released the barrier
  const Vec<f32, 4> sum = partialSums(matrix);
  clusterWait();
  send<transport>(sum, partial, inbox, arrived);
  mbarrierWaitCluster(arrived, 0);
  f32 total = 0;
  for (u32 rank = 0; rank < ranks; ++rank)
    total += loadShared(inbox + i32(rank * share + threadIndex()));
  if constexpr (transport == Transport::bulk)
    clusterArriveRelaxed();
  storeResult(matrix, total);
  // What a peer has received, it has read from here: shared memory must live until all peers have received.
  if constexpr (transport == Transport::bulk)
    clusterWait();
}

SLUICE_DEVICE void reducePulled(const Matrix &matrix) {
  const Shared<f32> partial = sharedMemory<f32>(0);
  storeShared(partial + i32(threadIndex() * 4), partialSums(matrix));
  clusterArrive();
  clusterWait();
  f32 total = 0;
  for (u32 rank = 0; rank < ranks; ++rank)
    total += loadRemote(mapShared(partial + i32(clusterRank() * share + threadIndex()), rank));
  storeResult(matrix, total);
  clusterArriveRelaxed(); // the sum of what the loads have returned is stored: they are over
  clusterWait();          // no peer reads here any more
}

} // namespace

SLUICE_KERNEL(reduce_pull, 128)(Global<const f32> source, Global<f32> target, i64 rows, i64 columns,
                                i64 stride) {
  reducePulled({source, target, rows, columns, stride});
}
SLUICE_EXPORT(reduce_pull)

SLUICE_KERNEL(reduce_push, 128)(Global<const f32> source, Global<f32> target, i64 rows, i64 columns,
                                i64 stride) {
  reducePushed<Transport::push>({source, target, rows, columns, stride});
}
SLUICE_EXPORT(reduce_push)

SLUICE_KERNEL(reduce_async, 128)(Global<const f32> source, Global<f32> target, i64 rows, i64 columns,
                                 i64 stride) {
  reducePushed<Transport::async>({source, target, rows, columns, stride});
}
SLUICE_EXPORT(reduce_async)

SLUICE_KERNEL(reduce_bulk, 128)(Global<const f32> source, Global<f32> target, i64 rows, i64 columns,
                                i64 stride) {
  reducePushed<Transport::bulk>({source, target, rows, columns, stride});
}
SLUICE_EXPORT(reduce_bulk)
