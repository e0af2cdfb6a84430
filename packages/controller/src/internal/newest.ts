/** The newer of what an informer shows and what a controller itself wrote last, by key: its own writes are never news to it. */
import type { KubeObject } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"

export interface Newest<A> {
  /** Notes an object as the server stored it. */
  readonly wrote: (key: string, object: A) => void
  /** `shown` is what the informer has under the key now. */
  readonly of: (key: string, shown: A | undefined) => A | undefined
  /** The object under the key is gone. Needed only where nobody asks for the key again. */
  readonly forget: (key: string) => void
}

const revision = (object: KubeObject.KubeObject): bigint => BigInt(object.metadata.resourceVersion ?? "0")

export const make = <A extends KubeObject.KubeObject>(): Newest<A> => {
  const written = new Map<string, A>()
  return {
    wrote: (key, object) => {
      if (ObjectRef.keyOf(object) === key) written.set(key, object)
    },
    of: (key, shown) => {
      const own = written.get(key)
      const isNewer = shown !== undefined && own !== undefined && own.metadata.uid === shown.metadata.uid && revision(own) > revision(shown)
      if (isNewer) return own
      written.delete(key)
      return shown
    },
    forget: (key) => void written.delete(key)
  }
}
