/**
 * Tokens of ServiceAccounts for the projected volumes of pods: asked for when a pod starts, renewed when four fifths of their life are
 * over, forgotten with the pod.
 */
import { type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Tokens by `keyOf`. @category models */
export type Tokens = ReadonlyMap<string, string>

/** Name of a token in `Tokens`: pods ask for one by audience and lifetime. @category constructors */
export const keyOf = ({ audience = "", expirationSeconds = 3600 }: CoreV1.ServiceAccountTokenProjection): string =>
  `${audience}/${expirationSeconds}`

interface Held {
  readonly token: string
  readonly renewAt: number
  readonly expiresAt: number
}

/** @category models */
export interface PodTokens {
  /** All tokens that the volumes of a pod ask for, renewed where it is time. A token that cannot be renewed is kept as long as it is good. */
  readonly obtain: (pod: CoreV1.Pod) => Effect.Effect<Tokens, ClientError.ClientError>
  /** Whether `obtain` would ask for a token, so that the volumes are to be written again. */
  readonly isDue: (pod: CoreV1.Pod) => Effect.Effect<boolean>
  readonly forget: (uid: string) => void
}

// As in Kubernetes: 80 % of the life, and a day at most.
const renewAfter = 0.8
const longestMillis = 24 * 3600 * 1000

const wantedBy = (pod: CoreV1.Pod): ReadonlyMap<string, CoreV1.ServiceAccountTokenProjection> => {
  const wanted = new Map<string, CoreV1.ServiceAccountTokenProjection>()
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) wanted.set(keyOf(serviceAccountToken), serviceAccountToken)
    }
  }
  return wanted
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

const request = (client: ApiClient.Service, pod: CoreV1.Pod, { audience = "", expirationSeconds = 3600 }: CoreV1.ServiceAccountTokenProjection) =>
  Effect.gen(function*() {
    const { name = "", namespace, uid } = pod.metadata
    const account = pod.spec?.serviceAccountName ?? "default"
    const now = yield* Clock.currentTimeMillis
    const answer = yield* client.createSubresource(Kinds.serviceAccount, { namespace, name: account }, "token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        ...(audience === "" ? {} : { audiences: [audience] }),
        expirationSeconds,
        boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid }
      }
    })
    const status = field(answer, "status")
    const token = field(status, "token")
    const expires = field(status, "expirationTimestamp")
    const expiresAt = Timestamp.toMillis(typeof expires === "string" ? expires : undefined)
    if (typeof token !== "string" || token === "" || expiresAt === undefined) {
      const path = `serviceaccounts/${account}/token`
      return yield* new ClientError.DecodeFailure({ method: "POST", path, detail: "the answer has no token and expirationTimestamp in its status" })
    }
    const held: Held = { token, expiresAt, renewAt: now + Math.min((expiresAt - now) * renewAfter, longestMillis) }
    return held
  })

/** @category constructors */
export const make = (client: ApiClient.Service): PodTokens => {
  const known = new Map<string, Map<string, Held>>()
  const heldBy = (pod: CoreV1.Pod) => known.get(pod.metadata.uid ?? "")
  return {
    obtain: (pod) =>
      Effect.gen(function*() {
        const wanted = wantedBy(pod)
        const tokens = new Map<string, string>()
        if (wanted.size === 0) return tokens
        const held = heldBy(pod) ?? new Map<string, Held>()
        known.set(pod.metadata.uid ?? "", held)
        for (const [key, projection] of wanted) {
          const now = yield* Clock.currentTimeMillis
          const before = held.get(key)
          if (before !== undefined && now < before.renewAt) {
            tokens.set(key, before.token)
            continue
          }
          const made = yield* request(client, pod, projection).pipe(
            Effect.catchAll((error) =>
              before === undefined || now >= before.expiresAt
                ? Effect.fail(error)
                : Effect.as(Effect.logWarning("a ServiceAccount token could not be renewed; the old one is kept", error), before)
            )
          )
          held.set(key, made)
          tokens.set(key, made.token)
        }
        return tokens
      }),
    isDue: (pod) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const held = heldBy(pod)
        return [...wantedBy(pod).keys()].some((key) => now >= (held?.get(key)?.renewAt ?? 0))
      }),
    forget: (uid) => void known.delete(uid)
  }
}
