import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sizeOf } from "../../../core/index.ts"
import { broadcast, concatenate, input, pad, slice, transpose } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { check, noise, runKernel } from "./attention-harness.ts"
import { emitFill, emitMove } from "./move.ts"
import { emitBroadcast, emitConcatenate, emitPad, emitSliceOf, emitTranspose } from "./move-regions.ts"

const anyShape = fc
  .array(fc.constantFrom(1, 2, 3, 4, 5, 8, 13, 33), { minLength: 1, maxLength: 4 })
  .filter((shape) => sizeOf(shape) < 5000)
const shapeAndAxis = anyShape.chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1)))
const runs = { numRuns: 60 }
const x = (shape: readonly number[]) => noise(sizeOf(shape), 1)

describe("moves", () => {
  it("transposes by any permutation", () => {
    const shaped = anyShape.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray([...shape.keys()], { minLength: shape.length, maxLength: shape.length }),
      ),
    )
    fc.assert(
      fc.property(shaped, ([shape, permutation]) => {
        const emit = (module: ModuleBuilder) => emitTranspose(module, shape, permutation)
        check({ emit, inputs: [x(shape)], outputs: [sizeOf(shape)] }, transpose(input("x", shape), permutation), 0)
      }),
      runs,
    )
  })

  it.each([
    [4, 4],
    [7, 9],
    [64, 65],
    [3, 17, 6],
  ])("transposes the last two axes of %s, %s", (...shape) => {
    const axes = [...shape.keys()]
    const permutation = [...axes.slice(0, -2), shape.length - 1, shape.length - 2]
    const emit = (module: ModuleBuilder) => emitTranspose(module, shape, permutation)
    check({ emit, inputs: [x(shape)], outputs: [sizeOf(shape)] }, transpose(input("x", shape)), 0)
  })

  it("stretches any axes, and adds axes before", () => {
    const stretched = fc.tuple(anyShape, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.nat(2))
    fc.assert(
      fc.property(stretched, ([target, single, dropped]) => {
        const shape = target.map((size, axis) => (single[axis] ? 1 : size)).slice(Math.min(dropped, target.length - 1))
        const emit = (module: ModuleBuilder) => emitBroadcast(module, shape, target)
        const node = broadcast(input("x", shape), target)
        if (node.node.op === "broadcast") check({ emit, inputs: [x(shape)], outputs: [sizeOf(target)] }, node, 0)
      }),
      runs,
    )
  })

  it("slices along any axis", () => {
    fc.assert(
      fc.property(shapeAndAxis, fc.nat(32), fc.nat(32), ([shape, axis], a, b) => {
        const [start, end] = [Math.min(a, b) % shape[axis], shape[axis]]
        const emit = (module: ModuleBuilder) => emitSliceOf(module, shape, { axis, start, end })
        const node = slice(input("x", shape), axis, start, end)
        check({ emit, inputs: [x(shape)], outputs: [sizeOf(node.shape)] }, node, 0)
      }),
      runs,
    )
  })

  it("pads with zeros on either side of any axis", () => {
    fc.assert(
      fc.property(shapeAndAxis, fc.nat(5), fc.nat(5), ([shape, axis], before, after) => {
        fc.pre(before + after > 0)
        const emit = (module: ModuleBuilder) => emitPad(module, shape, { axis, before, after })
        const node = pad(input("x", shape), axis, before, after)
        check({ emit, inputs: [x(shape)], outputs: [sizeOf(node.shape)] }, node, 0)
      }),
      runs,
    )
  })

  it("joins two or three along any axis", () => {
    fc.assert(
      fc.property(
        shapeAndAxis,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 2 }),
        ([shape, axis], others) => {
          const shapes = [shape, ...others.map((size) => shape.map((own, i) => (i === axis ? size : own)))]
          const node = concatenate(
            shapes.map((of, i) => input(`x${i}`, of)),
            axis,
          )
          const emit = (module: ModuleBuilder) => emitConcatenate(module, shapes, axis)
          check(
            { emit, inputs: shapes.map((of, i) => noise(sizeOf(of), i + 1)), outputs: [sizeOf(node.shape)] },
            node,
            0,
          )
        },
      ),
      runs,
    )
  })

  it("moves i32 bit for bit, also words that are NaN as floats", () => {
    const words = Int32Array.of(0x7fa00001, -1, 0x7f800001, 3, 4)
    const emit = (module: ModuleBuilder) =>
      emitMove(module, { shape: [5], inputStrides: [1], outputStrides: [1], inputOffset: 0, outputOffset: 0 })
    const [got] = runKernel({ emit, inputs: [words], outputs: [5] }, 2)
    expect(new Int32Array(got.buffer, got.byteOffset, 5)).toEqual(words)
  })

  it("fills columns that do not run along memory, and nothing else", () => {
    const emit = (module: ModuleBuilder) => emitFill(module, { shape: [3, 1], outputStrides: [2, 1], outputOffset: 1 })
    const [got] = runKernel({ emit, inputs: [], outputs: [6] }, 3)
    expect([...got].map((value) => value === 0)).toEqual([false, true, false, true, false, true])
  })
})
