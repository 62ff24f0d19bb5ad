// Numbers of peers that this harness cannot install, seen on another day on a 2-core AVX-512 (Zen 4) virtual machine. They are
// printed apart and never enter a ratio: machines and days differ.
export const RECORDED: { readonly [work: string]: readonly string[] } = {
  "nanogpt-cpu": [
    "PyTorch 2.13 eager, 2 threads: 38-45 ms/step, 17,000-20,000 tok/s, peak 370 MB",
    "PyTorch 2.13 compiled, 2 threads: 37 ms/step, 20,700 tok/s",
  ],
  "nanogpt-384": [
    "PyTorch 2.13 eager, 2 threads: 1,000 ms/step, 2,000 tok/s, peak 912 MB",
    "PyTorch 2.13 compiled, 2 threads: 950 ms/step, 2,150 tok/s, peak 927 MB",
  ],
}
