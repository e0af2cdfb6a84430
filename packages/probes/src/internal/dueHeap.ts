/** A binary heap of things that are due at some time. Things know their place in it, so that one can be taken out or moved at any time. */

/** Something that can be due. The fields belong to the heap while the thing is in it. */
export interface Due {
  /** Milliseconds on the clock of the one who keeps the heap. */
  due: number
  /** Where it is in the heap; -1 when it is not. */
  place: number
}

export interface DueHeap<A extends Due> {
  readonly size: () => number
  readonly first: () => A | undefined
  /** Puts a thing in, or moves it when it is in already. */
  readonly put: (thing: A, due: number) => void
  /** Takes a thing out; nothing happens when it is not in. */
  readonly remove: (thing: A) => void
}

export const make = <A extends Due>(): DueHeap<A> => {
  const things: Array<A> = []

  const set = (place: number, thing: A): void => {
    things[place] = thing
    thing.place = place
  }

  /** Moves a thing towards the top while it is due before what is above it. */
  const up = (thing: A): void => {
    let place = thing.place
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = things[above]
      if (other === undefined || other.due <= thing.due) break
      set(place, other)
      place = above
    }
    set(place, thing)
  }

  const down = (thing: A): void => {
    let place = thing.place
    for (;;) {
      const left = 2 * place + 1
      const a = things[left]
      const b = things[left + 1]
      const least = b !== undefined && a !== undefined && b.due < a.due ? b : a
      if (least === undefined || least.due >= thing.due) break
      const next = least.place
      set(place, least)
      place = next
    }
    set(place, thing)
  }

  const remove = (thing: A): void => {
    const { place } = thing
    if (place < 0) return
    thing.place = -1
    const last = things.pop()
    if (last === undefined || last === thing) return
    set(place, last)
    up(last)
    down(last)
  }

  return {
    size: () => things.length,
    first: () => things[0],
    put: (thing, due) => {
      thing.due = due
      if (thing.place < 0) {
        things.push(thing)
        thing.place = things.length - 1
      }
      up(thing)
      down(thing)
    },
    remove
  }
}
