import type { CoreV1 } from "@reddwarf/api-types"
import { Explanation, NodeInfo, PodInfo, Profile, Rejection, type SchedulerPlugin, Snapshot } from "@reddwarf/scheduler"
import { Console, Effect } from "effect"

const team = (object: CoreV1.Pod | CoreV1.Node) => object.metadata.labels?.["example.com/team"]
const reserved = Rejection.unresolvable("node(s) were reserved for another team")

/** Nodes labelled with a team take the pods of that team only, and a team's pods prefer its nodes. */
const teamNodes: SchedulerPlugin.SchedulerPlugin = {
  name: "TeamNodes",
  nodeLocal: true,
  requeueOn: ["NodeAdd", "NodeUpdateLabels"],
  filter: ({ pod }, { node }) => team(node) === undefined || team(node) === team(pod) ? undefined : reserved,
  score: (_, { node }) => team(node) === undefined ? 0 : 100
}

const status = { allocatable: { cpu: "4", memory: "8Gi", pods: "10" }, conditions: [{ type: "Ready", status: "True" as const }] }
const node = (name: string, labels = {}) => NodeInfo.make({ apiVersion: "v1", kind: "Node", metadata: { name, labels }, status })
const snapshot = Snapshot.make([node("shared"), node("blue-1", { "example.com/team": "blue" })])

const program = Effect.gen(function*() {
  const plugins = [...Profile.builtInPlugins, teamNodes]
  const profile = yield* Profile.make({ schedulerName: "team-scheduler", plugins, weights: { ...Profile.builtInWeights, TeamNodes: 5 } })
  for (const name of ["blue", "red"]) {
    const metadata = { name: "p", namespace: "default", labels: { "example.com/team": name } }
    const pod = PodInfo.make({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main" }] } })
    yield* Console.log(`${name}: best ${Explanation.of(profile, pod, snapshot).best.join(", ")}`)
  }
})
await Effect.runPromise(program)
