int cpu_kernels_placeholder(void);
