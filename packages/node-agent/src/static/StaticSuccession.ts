/** A manifest that changed is another pod of the same name: it begins when the one before it has ended, and not beside it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as StaticPod from "./StaticPod.js"

/** @category models */
export interface StaticSuccession {
  /** Remembers that something of a pod may be on this host. */
  readonly note: (identity: Files.PodIdentity) => void
  /** The uid of a static pod of the same name of which something is still here; undefined for all other pods. */
  readonly before: (identity: Files.PodIdentity) => Effect.Effect<string | undefined, SupervisorFileFailed | PodSandbox.SandboxError>
}

/** @category constructors */
export const make = (
  supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "read">,
  sandbox: Pick<PodSandbox.PodSandbox["Type"], "zoneStates">
): StaticSuccession => {
  const noted = new Map<string, Map<string, Files.PodIdentity>>()
  const keyOf = ({ name, namespace }: Files.PodIdentity): string => `${namespace}/${name}`
  return {
    note: (identity) => {
      if (!StaticPod.isStaticUid(identity.uid)) return
      const key = keyOf(identity)
      const known = noted.get(key) ?? new Map<string, Files.PodIdentity>()
      noted.set(key, known.set(identity.uid, identity))
    },
    before: (identity) =>
      Effect.gen(function*() {
        const known = noted.get(keyOf(identity))
        if (known === undefined || !known.has(identity.uid) || known.size === 1) return undefined
        for (const other of known.values()) {
          if (other.uid === identity.uid) continue
          const supervised = yield* supervisor.read(other.uid)
          if (Option.isSome(supervised) || (yield* sandbox.zoneStates).has(PodSandbox.namesOf(other).zone)) return other.uid
          known.delete(other.uid)
        }
        return undefined
      })
  }
}
