import type { CoreV1 } from "@reddwarf/api-types"
import { NodeInfo, PodInfo, Profile, Rejection, type SchedulerPlugin, SchedulingCycle, Snapshot } from "@reddwarf/scheduler"
import { Console, Effect } from "effect"

const team = (labels: CoreV1.Pod["metadata"]["labels"]) => labels?.["example.com/team"]
const reserved = Rejection.unresolvable("node(s) were reserved for another team")

/** Nodes labelled with a team take the pods of that team only, and a team's pods prefer its nodes. */
const teamNodes: SchedulerPlugin.SchedulerPlugin = {
  name: "TeamNodes",
  requeueOn: ["NodeAdd", "NodeUpdateLabels"],
  filter: ({ pod }, { node }) => {
    const owner = team(node.metadata.labels)
    return owner === undefined || owner === team(pod.metadata.labels) ? undefined : reserved
  },
  score: (_, { node }) => team(node.metadata.labels) === undefined ? 0 : 100
}

const status = { allocatable: { cpu: "4", memory: "8Gi", pods: "10" }, conditions: [{ type: "Ready", status: "True" }] }
const node = (name: string, labels: Record<string, string>) =>
  NodeInfo.make({ apiVersion: "v1", kind: "Node", metadata: { name, labels }, status })
const pod = (labels: Record<string, string>) =>
  PodInfo.make({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", labels }, spec: { containers: [{ name: "main" }] } })

const program = Effect.gen(function*() {
  const plugins = [...Profile.builtInPlugins, teamNodes]
  const profile = yield* Profile.make({ schedulerName: "team-scheduler", plugins, weights: { ...Profile.builtInWeights, TeamNodes: 5 } })
  const snapshot = Snapshot.make([node("shared", {}), node("blue", { "example.com/team": "blue" })])
  for (const name of ["blue", "red"]) {
    const decision = SchedulingCycle.schedule(profile, pod({ "example.com/team": name }), snapshot, { random: Math.random })
    yield* Console.log(`${name}: ${decision._tag === "Placed" ? decision.node : "no node"}`)
  }
})

await Effect.runPromise(program)
