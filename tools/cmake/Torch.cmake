# The lean libtorch: the PyPI wheel's headers, torch_cpu and c10, and nothing else of it.
# find_package(Torch) is not used because it wants a CUDA toolkit. Defines the target torch_lean.

set(SLUICE_SITE_PACKAGES "${PROJECT_BINARY_DIR}/venv/lib/python3.11/site-packages" CACHE PATH
  "The site-packages folder that holds torch/ and nvidia/cu13/")
set(SLUICE_TORCH_DIR "${SLUICE_SITE_PACKAGES}/torch")
set(SLUICE_TORCH_FOUND FALSE)
add_library(torch_lean INTERFACE)
if(EXISTS "${SLUICE_TORCH_DIR}/lib/libtorch_cpu.so")
  set(SLUICE_TORCH_FOUND TRUE)
  target_include_directories(torch_lean SYSTEM INTERFACE
    "${SLUICE_TORCH_DIR}/include" "${SLUICE_TORCH_DIR}/include/torch/csrc/api/include")
  target_compile_definitions(torch_lean INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  # torch_cpu names CUDA libraries that a machine without a GPU never calls.
  target_link_options(torch_lean INTERFACE
    -Wl,--allow-shlib-undefined
    "-Wl,-rpath,${SLUICE_TORCH_DIR}/lib" "-Wl,-rpath,${SLUICE_SITE_PACKAGES}/nvidia/cu13/lib")
  target_link_libraries(torch_lean INTERFACE
    "${SLUICE_TORCH_DIR}/lib/libtorch_cpu.so" "${SLUICE_TORCH_DIR}/lib/libc10.so")
else()
  message(WARNING "expected libtorch in ${SLUICE_TORCH_DIR}, got nothing: run tools/setup")
endif()
