// Instruction numbers of WebAssembly by their names in the specification, camel-cased, one table per type and kind of
// operand. Plain instructions take nothing but the stack; loads and stores carry the log2 of their natural alignment;
// lane instructions carry a lane number. @see https://webassembly.github.io/spec/core/binary/instructions.html

// biome-ignore-all format: one row a kind of operand

/** A table of instructions that take all operands from the stack. */
export type Plain = { readonly [name: string]: number }
/** `[opcode, log2 of the natural alignment]`. */
export type Memory = { readonly [name: string]: readonly [number, number] }

export const PREFIX = { plain: 0, bulk: 0xfc, simd: 0xfd, atomic: 0xfe } as const

export const I32 = {
  eqz: 0x45, eq: 0x46, ne: 0x47, ltS: 0x48, ltU: 0x49, gtS: 0x4a, gtU: 0x4b, leS: 0x4c, leU: 0x4d, geS: 0x4e, geU: 0x4f,
  clz: 0x67, ctz: 0x68, popcnt: 0x69, add: 0x6a, sub: 0x6b, mul: 0x6c, divS: 0x6d, divU: 0x6e, remS: 0x6f, remU: 0x70,
  and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shrS: 0x75, shrU: 0x76, rotl: 0x77, rotr: 0x78,
  wrapI64: 0xa7, truncF32S: 0xa8, truncF32U: 0xa9, truncF64S: 0xaa, truncF64U: 0xab, reinterpretF32: 0xbc,
  extend8S: 0xc0, extend16S: 0xc1,
} as const
export const I32_BULK = { truncSatF32S: 0, truncSatF32U: 1, truncSatF64S: 2, truncSatF64U: 3 } as const
export const I32_MEMORY = {
  load: [0x28, 2], load8S: [0x2c, 0], load8U: [0x2d, 0], load16S: [0x2e, 1], load16U: [0x2f, 1],
  store: [0x36, 2], store8: [0x3a, 0], store16: [0x3b, 1],
} as const

export const I64 = {
  eqz: 0x50, eq: 0x51, ne: 0x52, ltS: 0x53, ltU: 0x54, gtS: 0x55, gtU: 0x56, leS: 0x57, leU: 0x58, geS: 0x59, geU: 0x5a,
  clz: 0x79, ctz: 0x7a, popcnt: 0x7b, add: 0x7c, sub: 0x7d, mul: 0x7e, divS: 0x7f, divU: 0x80, remS: 0x81, remU: 0x82,
  and: 0x83, or: 0x84, xor: 0x85, shl: 0x86, shrS: 0x87, shrU: 0x88, rotl: 0x89, rotr: 0x8a,
  extendI32S: 0xac, extendI32U: 0xad, truncF32S: 0xae, truncF32U: 0xaf, truncF64S: 0xb0, truncF64U: 0xb1,
  reinterpretF64: 0xbd, extend8S: 0xc2, extend16S: 0xc3, extend32S: 0xc4,
} as const
export const I64_BULK = { truncSatF32S: 4, truncSatF32U: 5, truncSatF64S: 6, truncSatF64U: 7 } as const
export const I64_MEMORY = {
  load: [0x29, 3], load8S: [0x30, 0], load8U: [0x31, 0], load16S: [0x32, 1], load16U: [0x33, 1],
  load32S: [0x34, 2], load32U: [0x35, 2], store: [0x37, 3], store8: [0x3c, 0], store16: [0x3d, 1], store32: [0x3e, 2],
} as const

export const F32 = {
  eq: 0x5b, ne: 0x5c, lt: 0x5d, gt: 0x5e, le: 0x5f, ge: 0x60, abs: 0x8b, neg: 0x8c, ceil: 0x8d, floor: 0x8e,
  trunc: 0x8f, nearest: 0x90, sqrt: 0x91, add: 0x92, sub: 0x93, mul: 0x94, div: 0x95, min: 0x96, max: 0x97,
  copysign: 0x98, convertI32S: 0xb2, convertI32U: 0xb3, convertI64S: 0xb4, convertI64U: 0xb5, demoteF64: 0xb6,
  reinterpretI32: 0xbe,
} as const
export const F32_MEMORY = { load: [0x2a, 2], store: [0x38, 2] } as const

export const F64 = {
  eq: 0x61, ne: 0x62, lt: 0x63, gt: 0x64, le: 0x65, ge: 0x66, abs: 0x99, neg: 0x9a, ceil: 0x9b, floor: 0x9c,
  trunc: 0x9d, nearest: 0x9e, sqrt: 0x9f, add: 0xa0, sub: 0xa1, mul: 0xa2, div: 0xa3, min: 0xa4, max: 0xa5,
  copysign: 0xa6, convertI32S: 0xb7, convertI32U: 0xb8, convertI64S: 0xb9, convertI64U: 0xba, promoteF32: 0xbb,
  reinterpretI64: 0xbf,
} as const
export const F64_MEMORY = { load: [0x2b, 3], store: [0x39, 3] } as const

export const V128 = { not: 0x4d, and: 0x4e, andnot: 0x4f, or: 0x50, xor: 0x51, bitselect: 0x52, anyTrue: 0x53 } as const
export const V128_MEMORY = {
  load: [0x00, 4], load8x8S: [0x01, 3], load8x8U: [0x02, 3], load16x4S: [0x03, 3], load16x4U: [0x04, 3],
  load32x2S: [0x05, 3], load32x2U: [0x06, 3], load8Splat: [0x07, 0], load16Splat: [0x08, 1], load32Splat: [0x09, 2],
  load64Splat: [0x0a, 3], store: [0x0b, 4], load32Zero: [0x5c, 2], load64Zero: [0x5d, 3],
} as const
export const V128_LANE_MEMORY = {
  load8Lane: [0x54, 0], load16Lane: [0x55, 1], load32Lane: [0x56, 2], load64Lane: [0x57, 3],
  store8Lane: [0x58, 0], store16Lane: [0x59, 1], store32Lane: [0x5a, 2], store64Lane: [0x5b, 3],
} as const

export const I8X16 = {
  swizzle: 0x0e, splat: 0x0f, eq: 0x23, ne: 0x24, ltS: 0x25, ltU: 0x26, gtS: 0x27, gtU: 0x28, leS: 0x29, leU: 0x2a,
  geS: 0x2b, geU: 0x2c, abs: 0x60, neg: 0x61, popcnt: 0x62, allTrue: 0x63, bitmask: 0x64, narrowI16x8S: 0x65,
  narrowI16x8U: 0x66, shl: 0x6b, shrS: 0x6c, shrU: 0x6d, add: 0x6e, sub: 0x71, minS: 0x76, minU: 0x77, maxS: 0x78,
  maxU: 0x79, relaxedSwizzle: 0x100, relaxedLaneselect: 0x109,
} as const
export const I8X16_LANE = { extractLaneS: 0x15, extractLaneU: 0x16, replaceLane: 0x17 } as const

export const I16X8 = {
  splat: 0x10, eq: 0x2d, ne: 0x2e, ltS: 0x2f, ltU: 0x30, gtS: 0x31, gtU: 0x32, leS: 0x33, leU: 0x34, geS: 0x35,
  geU: 0x36, extaddPairwiseI8x16S: 0x7c, extaddPairwiseI8x16U: 0x7d, abs: 0x80, neg: 0x81, allTrue: 0x83,
  bitmask: 0x84, narrowI32x4S: 0x85, narrowI32x4U: 0x86, extendLowI8x16S: 0x87, extendHighI8x16S: 0x88,
  extendLowI8x16U: 0x89, extendHighI8x16U: 0x8a, shl: 0x8b, shrS: 0x8c, shrU: 0x8d, add: 0x8e, sub: 0x91, mul: 0x95,
  minS: 0x96, minU: 0x97, maxS: 0x98, maxU: 0x99, relaxedDotI8x16I7x16S: 0x112,
} as const
export const I16X8_LANE = { extractLaneS: 0x18, extractLaneU: 0x19, replaceLane: 0x1a } as const

export const I32X4 = {
  splat: 0x11, eq: 0x37, ne: 0x38, ltS: 0x39, ltU: 0x3a, gtS: 0x3b, gtU: 0x3c, leS: 0x3d, leU: 0x3e, geS: 0x3f,
  geU: 0x40, extaddPairwiseI16x8S: 0x7e, extaddPairwiseI16x8U: 0x7f, abs: 0xa0, neg: 0xa1, allTrue: 0xa3,
  bitmask: 0xa4, extendLowI16x8S: 0xa7, extendHighI16x8S: 0xa8, extendLowI16x8U: 0xa9, extendHighI16x8U: 0xaa,
  shl: 0xab, shrS: 0xac, shrU: 0xad, add: 0xae, sub: 0xb1, mul: 0xb5, minS: 0xb6, minU: 0xb7, maxS: 0xb8, maxU: 0xb9,
  dotI16x8S: 0xba, truncSatF32x4S: 0xf8, truncSatF32x4U: 0xf9, relaxedTruncF32x4S: 0x101, relaxedTruncF32x4U: 0x102,
  relaxedLaneselect: 0x10b,
} as const
export const I32X4_LANE = { extractLane: 0x1b, replaceLane: 0x1c } as const

export const F32X4 = {
  splat: 0x13, eq: 0x41, ne: 0x42, lt: 0x43, gt: 0x44, le: 0x45, ge: 0x46, demoteF64x2Zero: 0x5e, ceil: 0x67,
  floor: 0x68, trunc: 0x69, nearest: 0x6a, abs: 0xe0, neg: 0xe1, sqrt: 0xe3, add: 0xe4, sub: 0xe5, mul: 0xe6,
  div: 0xe7, min: 0xe8, max: 0xe9, pmin: 0xea, pmax: 0xeb, convertI32x4S: 0xfa, convertI32x4U: 0xfb,
  relaxedMadd: 0x105, relaxedNmadd: 0x106, relaxedMin: 0x10d, relaxedMax: 0x10e,
} as const
export const F32X4_LANE = { extractLane: 0x1f, replaceLane: 0x20 } as const

export const I32_ATOMIC = {
  atomicLoad: [0x10, 2], atomicStore: [0x17, 2], atomicRmwAdd: [0x1e, 2], atomicRmwSub: [0x25, 2],
  atomicRmwAnd: [0x2c, 2], atomicRmwOr: [0x33, 2], atomicRmwXor: [0x3a, 2], atomicRmwXchg: [0x41, 2],
  atomicRmwCmpxchg: [0x48, 2],
} as const
export const I64_ATOMIC = {
  atomicLoad: [0x11, 3], atomicStore: [0x18, 3], atomicRmwAdd: [0x1f, 3], atomicRmwCmpxchg: [0x49, 3],
} as const
export const MEMORY_ATOMIC = { atomicNotify: [0x00, 2], atomicWait32: [0x01, 2], atomicWait64: [0x02, 3] } as const
