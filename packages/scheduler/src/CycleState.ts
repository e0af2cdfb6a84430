/**
 * What the plugins of one attempt know about its pod: written at an early extension point, read at a later one. A plugin needs it where a closure
 * does not reach, such as from `filter` to `reserve`. It lives as long as the attempt, binding included.
 */

/**
 * A value of one type in each state. Keep it in one place, and read and write through it.
 *
 * @category models
 */
export interface Key<A> {
  readonly name: string
  /** The value in this state; the initial one is made, and kept, when nobody has written one. */
  readonly get: (state: CycleState) => A
  readonly set: (state: CycleState, value: A) => void
}

/**
 * The values of one attempt. It is only an identity: values are read and written through their keys, so they keep their types and cost nothing
 * until they are written.
 *
 * @category models
 */
export interface CycleState {
  readonly _tag: "CycleState"
}

/**
 * A new key. `initial` makes the value for a state in which none was written. Two keys never share a value, whatever their names.
 *
 * @category constructors
 */
export const key = <A>(name: string, initial: () => A): Key<A> => {
  const boxes = new WeakMap<CycleState, { readonly value: A }>()
  return {
    name,
    get: (state) => {
      const found = boxes.get(state)
      if (found !== undefined) return found.value
      const value = initial()
      boxes.set(state, { value })
      return value
    },
    set: (state, value) => void boxes.set(state, { value })
  }
}

/**
 * A state without values.
 *
 * @category constructors
 */
export const make = (): CycleState => ({ _tag: "CycleState" })
