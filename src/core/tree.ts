// Parameter trees: plain nested objects and arrays whose leaves are whatever the room needs. A checkpoint is a tree, the
// optimizer state is a tree of the same shape. Keys are visited in insertion order, which is the storage order.
import { invariant } from "./errors.ts"

export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> }

/** A flat tree: leaf by dotted path, such as `layers.0.attention.q_proj.weight`. */
export type FlatTree<T> = { readonly [path: string]: T }

/** Objects without a prototype too: readers of files make them, so that no name is special. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Leaf by dotted path, in order. A leaf is what is neither an array nor a plain object. */
export function flattenTree<T>(tree: Tree<T>): { [path: string]: T } {
  const flat: { [path: string]: T } = Object.create(null)
  const visit = (node: Tree<T>, path: string): void => {
    const entries = Array.isArray(node) ? node.entries() : isPlainObject(node) ? Object.entries(node) : undefined
    if (entries === undefined) {
      invariant(!(path in flat), `two leaves have the path ${path}`)
      flat[path] = node as T
    } else for (const [key, child] of entries) visit(child as Tree<T>, path === "" ? String(key) : `${path}.${key}`)
  }
  visit(tree, "")
  return flat
}

/** A tree of the same shape with `change(leaf, path)` at each leaf. */
export function mapTree<T, U>(tree: Tree<T>, change: (leaf: T, path: string) => U, path = ""): Tree<U> {
  const at = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`)
  if (Array.isArray(tree)) return tree.map((child, index) => mapTree(child as Tree<T>, change, at(index)))
  if (isPlainObject(tree))
    return Object.fromEntries(
      Object.entries(tree).map(([key, child]) => [key, mapTree(child as Tree<T>, change, at(key))]),
    )
  return change(tree as T, path)
}
