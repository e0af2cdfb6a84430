/** The scheduler's view of a world. */
import type { CoreV1 } from "@reddwarf/api-types"
import { Listers, NodeInfo, PodInfo, Snapshot } from "../../src/index.js"
import { podsOn, type World } from "./world.js"

export const listersOf = (world: World): Listers.Listers => ({
  ...Listers.empty,
  namespaces: Listers.of(world.namespaces),
  services: Listers.of(world.services),
  replicaSets: Listers.of(world.replicaSets),
  persistentVolumeClaims: Listers.of(world.claims),
  persistentVolumes: Listers.of(world.volumes),
  storageClasses: Listers.of(world.classes),
  csiNodes: Listers.of(world.csiNodes),
  volumeAttachments: Listers.of(world.attachments),
  podDisruptionBudgets: Listers.of(world.budgets)
})

/** All at once, as after a start. */
export const snapshotOf = (world: World): Snapshot.Snapshot =>
  Snapshot.make(world.nodes.map((node) => NodeInfo.make(node, podsOn(world, node).map(PodInfo.placed))), { listers: listersOf(world) })

export const bind = (pod: CoreV1.Pod, node: string): CoreV1.Pod => ({ ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: node } })

export const pick = <A>(all: ReadonlyArray<A>, at: number): A | undefined => all[at % Math.max(1, all.length)]
