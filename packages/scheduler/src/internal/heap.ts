/**
 * A binary heap that can also remove an element from its middle: a pending pod may be deleted at any time, and a heap that only forgets
 * on pop would grow with the churn.
 */
export interface Heap<A> {
  readonly size: () => number
  readonly peek: () => A | undefined
  readonly push: (element: A) => void
  readonly pop: () => A | undefined
  /** Gives whether the element was there. */
  readonly remove: (element: A) => boolean
}

/** `order` is negative when its first argument comes out first. */
export const make = <A extends object>(order: (a: A, b: A) => number): Heap<A> => {
  const elements: Array<A> = []
  const positions = new Map<A, number>()

  const put = (element: A, position: number): void => {
    elements[position] = element
    positions.set(element, position)
  }

  const up = (element: A, from: number): void => {
    let position = from
    while (position > 0) {
      const parentPosition = (position - 1) >> 1
      const parent = elements[parentPosition]
      if (parent === undefined || order(element, parent) >= 0) break
      put(parent, position)
      position = parentPosition
    }
    put(element, position)
  }

  const down = (element: A, from: number): void => {
    let position = from
    for (;;) {
      const left = elements[2 * position + 1]
      if (left === undefined) break
      const right = elements[2 * position + 2]
      const child = right !== undefined && order(right, left) < 0 ? right : left
      if (order(element, child) <= 0) break
      const childPosition = 2 * position + (child === left ? 1 : 2)
      put(child, position)
      position = childPosition
    }
    put(element, position)
  }

  const remove = (element: A): boolean => {
    const position = positions.get(element)
    if (position === undefined) return false
    positions.delete(element)
    const last = elements.pop()
    if (last !== undefined && last !== element) {
      const parent = elements[(position - 1) >> 1]
      if (position > 0 && parent !== undefined && order(last, parent) < 0) up(last, position)
      else down(last, position)
    }
    return true
  }

  return {
    size: () => elements.length,
    peek: () => elements[0],
    push: (element) => {
      if (!positions.has(element)) up(element, elements.length)
    },
    pop: () => {
      const first = elements[0]
      if (first !== undefined) remove(first)
      return first
    },
    remove
  }
}
