/**
 * Sets of field paths, in the form in which `fieldsV1` writes them: an object whose keys are the first steps of the paths and
 * whose values are the rest. `{}` below a step ends a path there; where longer paths go on, `"."` marks the end of the short
 * one. Sets are what they look like on the wire, so reading and writing an object costs nothing for them.
 *
 * Plain functions: each write of an object goes through several of these.
 */
import { isObject } from "../internal/jsonValue.js"
import * as PathElement from "./PathElement.js"

/** @category models */
export interface FieldSet {
  readonly [element: PathElement.PathElement]: FieldSet
}

/** A set under construction. @category models */
export type Builder = { [element: PathElement.PathElement]: FieldSet }

/** No path at all; below a step: the path that ends there. @category constructors */
export const empty: FieldSet = Object.freeze({})

/** Marks a path that ends where longer ones go on. @category constructors */
export const self = "."

/** True when the set has no path. @category combinators */
export const isEmpty = (set: FieldSet): boolean => {
  for (const _ in set) return false
  return true
}

/** Whether the path that led to this part of a set ends there. @category combinators */
export const endsHere = (node: FieldSet): boolean => node[self] !== undefined || isEmpty(node)

// A part of a set as short as it can be written; undefined when nothing is left of it.
const normal = (node: FieldSet): FieldSet | undefined => {
  let count = 0
  for (const _ in node) count++
  if (count === 0) return undefined
  return count === 1 && node[self] !== undefined ? empty : node
}

const unionBelow = (a: FieldSet, b: FieldSet): FieldSet => {
  if (a === b) return a
  if (isEmpty(a)) return endsHere(b) ? b : { [self]: empty, ...b }
  if (isEmpty(b)) return endsHere(a) ? a : { [self]: empty, ...a }
  return mergeKeys(a, b)
}

const mergeKeys = (a: FieldSet, b: FieldSet): FieldSet => {
  let result: Builder | undefined
  for (const element in b) {
    const right = b[element] ?? empty
    const left = a[element]
    const joined = left === undefined ? right : unionBelow(left, right)
    if (joined !== left) (result ??= { ...a })[element] = joined
  }
  return result ?? a
}

/** The paths of either set. @category combinators */
export const union = (a: FieldSet, b: FieldSet): FieldSet => isEmpty(a) ? b : isEmpty(b) ? a : mergeKeys(a, b)

// What two parts of a set leave: `ends` says whether the path that led here stays, `below` what becomes of longer ones.
const rebuild = (
  a: FieldSet,
  ends: boolean,
  below: (element: string, node: FieldSet) => FieldSet | undefined
): FieldSet | undefined => {
  const result: Builder = ends ? { [self]: empty } : {}
  let changed = ends !== endsHere(a)
  for (const element in a) {
    const node = a[element]
    if (element === self || node === undefined) continue
    const kept = below(element, node)
    if (kept !== undefined) result[element] = kept
    if (kept !== node) changed = true
  }
  return changed ? normal(result) : a
}

const differenceBelow = (a: FieldSet, b: FieldSet): FieldSet | undefined =>
  rebuild(a, endsHere(a) && !endsHere(b), (element, node) => {
    const other = b[element]
    return other === undefined ? node : differenceBelow(node, other)
  })

const withoutBelow = (a: FieldSet, b: FieldSet): FieldSet | undefined =>
  endsHere(b) ? undefined : rebuild(a, endsHere(a), (element, node) => {
    const other = b[element]
    return other === undefined ? node : withoutBelow(node, other)
  })

const intersectionBelow = (a: FieldSet, b: FieldSet): FieldSet | undefined =>
  rebuild(a, endsHere(a) && endsHere(b), (element, node) => {
    const other = b[element]
    return other === undefined ? undefined : intersectionBelow(node, other)
  })

// The operations at the root, where an object without keys has no path instead of one that ends there.
const atRoot = (a: FieldSet, b: FieldSet, below: (x: FieldSet, y: FieldSet) => FieldSet | undefined, alone: boolean): FieldSet => {
  let result: Builder | undefined
  for (const element in a) {
    const node = a[element]
    if (node === undefined) continue
    const other = b[element]
    const kept = other === undefined ? (alone ? node : undefined) : below(node, other)
    if (kept === node) continue
    result ??= { ...a }
    if (kept === undefined) delete result[element]
    else result[element] = kept
  }
  return result ?? a
}

/** The paths of `a` that are not in `b`; paths that go on below one of `b` stay. @category combinators */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => isEmpty(b) ? a : atRoot(a, b, differenceBelow, true)

/** The paths of `a` that neither are in `b` nor go on below one of `b`. @category combinators */
export const without = (a: FieldSet, b: FieldSet): FieldSet => isEmpty(b) ? a : atRoot(a, b, withoutBelow, true)

/** The paths of both sets. @category combinators */
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => atRoot(a, b, intersectionBelow, false)

/** Whether two sets have the same paths, in whatever order they are written. @category combinators */
export const equals = (a: FieldSet, b: FieldSet): boolean => {
  if (a === b) return true
  let count = 0
  for (const element in a) {
    const left = a[element]
    const right = b[element]
    if (left === undefined || right === undefined || !equals(left, right)) return false
    count++
  }
  for (const _ in b) count--
  return count === 0
}

/** Whether a path is in the set. @category combinators */
export const has = (set: FieldSet, path: ReadonlyArray<PathElement.PathElement>): boolean => {
  let node = set
  for (const element of path) {
    const next = node[element]
    if (next === undefined) return false
    node = next
  }
  return path.length > 0 && endsHere(node)
}

const elementsOf = (node: FieldSet): ReadonlyArray<string> =>
  Object.keys(node).filter((element) => element !== self).sort(PathElement.compare)

/** All paths: of each object first those that end at its own fields, then the longer ones. @category combinators */
export const paths = (set: FieldSet): ReadonlyArray<ReadonlyArray<PathElement.PathElement>> => {
  const found: Array<ReadonlyArray<string>> = []
  const visit = (node: FieldSet, prefix: ReadonlyArray<string>): void => {
    const elements = elementsOf(node)
    for (const element of elements) if (endsHere(node[element] ?? empty)) found.push([...prefix, element])
    for (const element of elements) visit(node[element] ?? empty, [...prefix, element])
  }
  visit(set, [])
  return found
}

/** The set of these paths. @category constructors */
export const fromPaths = (all: ReadonlyArray<ReadonlyArray<PathElement.PathElement>>): FieldSet =>
  all.reduce<FieldSet>(
    (set, path) => path.length === 0 ? set : union(set, path.reduceRight<FieldSet>((rest, element) => ({ [element]: rest }), empty)),
    empty
  )

const isAhead = (a: string, b: string): boolean => a < b

const fieldMark = "f".charCodeAt(0)

const isStepAhead = (a: PathElement.PathElement, b: PathElement.PathElement): boolean =>
  // Names alone, which nearly all steps are, sort as texts.
  a.charCodeAt(0) === fieldMark && b.charCodeAt(0) === fieldMark ? a < b : b !== self && (a === self || PathElement.compare(a, b) < 0)

/** Puts names, or whatever `isBefore` compares, in order. Most objects have a handful, in order sooner than the engine's sort has made its copies. */
export const order = (names: Array<string>, isBefore: (a: string, b: string) => boolean = isAhead): void => {
  if (names.length > 32) return void names.sort((a, b) => a === b ? 0 : isBefore(a, b) ? -1 : 1)
  for (let i = 1; i < names.length; i++) {
    const name = names[i] ?? ""
    let to = i
    for (; to > 0 && isBefore(name, names[to - 1] ?? ""); to--) names[to] = names[to - 1] ?? ""
    names[to] = name
  }
}

const isInOrder = (set: FieldSet): boolean => {
  let before: string | undefined
  for (const element in set) {
    if (before !== undefined && !isStepAhead(before, element)) return false
    before = element
  }
  return true
}

/** The same set with its steps in the order in which they are written. @category combinators */
export const sorted = (set: FieldSet): FieldSet => {
  if (set === empty) return set
  // Sets that were stored are in order, and most changes leave them so.
  let result: Builder | undefined
  if (isInOrder(set)) {
    for (const element in set) {
      const node = set[element] ?? empty
      const below = sorted(node)
      if (below !== node) (result ??= { ...set })[element] = below
    }
    return result ?? set
  }
  const elements = Object.keys(set)
  order(elements, isStepAhead)
  result = {}
  for (const element of elements) result[element] = sorted(set[element] ?? empty)
  return result
}

// Deeper than any real object; keeps a hostile text from exhausting the stack.
const maxDepth = 200

const read = (value: unknown, depth: number): FieldSet | undefined => {
  if (!isObject(value) || depth > maxDepth) return undefined
  const result: Builder = {}
  for (const key of Object.keys(value)) {
    const node = read(value[key], depth + 1)
    if (node === undefined) return undefined
    if (key === self) {
      result[self] = empty
      continue
    }
    const element = PathElement.canonical(key)
    if (element === undefined) return undefined
    result[element] = node
  }
  return Object.keys(result).length === 1 && result[self] !== undefined ? empty : result
}

/** Reads `fieldsV1` that a client wrote; undefined when it is none. @category constructors */
export const fromFieldsV1 = (value: unknown): FieldSet | undefined => {
  const set = read(value, 0)
  if (set === undefined || set[self] === undefined) return set
  const { [self]: _, ...rest } = set
  return rest
}

const isFieldSet = (_: unknown): _ is FieldSet => true

/** Takes `fieldsV1` of a stored object, which this server wrote, for the set that it is. @category constructors */
export const trusted = (value: unknown): FieldSet => isObject(value) && isFieldSet(value) ? value : empty
