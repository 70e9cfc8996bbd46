# CMake includes this at ggml's own project(): aligned_buffers.cpp becomes a part of ggml's library for CPUs.
# The target is made further down, in a folder of its own, hence the deferral to the end.
cmake_language(EVAL CODE "cmake_language(DEFER CALL
    target_sources ggml-cpu PRIVATE [[${CMAKE_CURRENT_LIST_DIR}/aligned_buffers.cpp]])")
