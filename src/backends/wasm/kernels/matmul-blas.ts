// A slice of a product as one call of a BLAS: the one place where a step leaves WebAssembly (5 ns there, some 150 ns of foreign
// call). How the sum of an element runs is the library's affair; Kinglet only fixes which slice is asked for.
import type { FunctionBuilder, FunctionHandle, ModuleBuilder, Operand } from "../assembler.ts"
import type { ResolvedMatmul } from "./matmul-shape.ts"
import type { MatmulSlice } from "./matmul-slice.ts"

/** Rows or columns lanes share out: what a kernel of OpenBLAS computes at once on AVX-512. */
export const BLAS_GROUP = 16

/** `env.sgemm`, the function `Sgemm` of the platform. Must be called once before the module's first function. */
export function importSgemm(module: ModuleBuilder): FunctionHandle {
  const types = Array.from({ length: 12 }, (_, position) => (position === 9 ? "f32" : "i32"))
  return module.once("sgemm", () => module.importFunction("env", "sgemm", types, []))
}

/** The slice of C as one product. */
export function emitSgemm(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice, sgemm: FunctionHandle): void {
  const { k, transposeA, transposeB, rowStrideA, rowStrideB, rowStrideC } = shape
  const { rowStart, rowStop, columnStart, columnStop } = slice
  const at = (index: Operand, stride: number) => () => f.scaled(index, 4 * stride)
  f.i32.const(Number(transposeA)), f.i32.const(Number(transposeB))
  f.push(rowStop), f.push(rowStart), f.i32.sub()
  f.push(columnStop), f.push(columnStart), f.i32.sub()
  f.i32.const(k)
  f.address(slice.a, at(rowStart, transposeA ? 1 : rowStrideA)), f.i32.const(rowStrideA)
  f.address(slice.b, at(columnStart, transposeB ? rowStrideB : 1)), f.i32.const(rowStrideB)
  f.f32.const(shape.accumulate ? 1 : 0)
  f.address(slice.c, at(rowStart, rowStrideC), at(columnStart, 1)), f.i32.const(rowStrideC)
  f.call(sgemm)
}
