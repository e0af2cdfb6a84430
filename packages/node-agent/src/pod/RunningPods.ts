/** The pods whose containers run on this node, as the supervisor knows them: the kubelet's `/runningpods`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"

/**
 * A PodList as JSON. A pod has its name, namespace, uid, and those of its containers that run. Pods whose records cannot be read are left
 * out.
 *
 * @category constructors
 */
export const list = (supervisor: SupervisorClient.SupervisorClient["Type"]): Effect.Effect<string> =>
  Effect.gen(function*() {
    const uids = yield* Effect.orElseSucceed(supervisor.list, (): ReadonlyArray<string> => [])
    const supervised = yield* Effect.forEach(uids, (uid) => Effect.orElseSucceed(supervisor.read(uid), () => Option.none()), { concurrency: 8 })
    const items = supervised.flatMap((found) => {
      const pod = Option.getOrUndefined(found)
      const running = Option.getOrUndefined(pod?.state ?? Option.none())?.containers.filter(({ phase }) => phase === "running") ?? []
      if (pod === undefined || running.length === 0) return []
      const { name, namespace, uid } = pod.spec.pod
      return [{ metadata: { name, namespace, uid }, spec: { containers: running.map((container) => ({ name: container.name })) }, status: {} }]
    })
    return JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items })
  })
