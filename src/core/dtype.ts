// Element types by the names they have in files.

/** Every element type a file may hold. */
export type FileDType = "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i16" | "i8" | "u8" | "bool"

/** What a tensor of a graph may hold: activations and weights in f32, token ids and positions in i32, packed weights in f16 too. */
export type DType = "f32" | "i32" | "f16"

export const BYTES_PER_ELEMENT: { readonly [D in FileDType]: number } = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
}
