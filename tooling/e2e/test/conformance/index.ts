import { applying } from "./apply.js"
import { changing } from "./change.js"
import { clusterWide } from "./cluster.js"
import { controlled, controlledOnNodes } from "./controllers.js"
import { creating } from "./create.js"
import { debugging } from "./debugging.js"
import { deleting } from "./delete.js"
import { measured, unmeasured } from "./metrics.js"
import { nodes } from "./nodes.js"
import { reading } from "./get.js"
import { rollouts } from "./rollouts.js"
import { sessions } from "./sessions.js"
import { streams } from "./streams.js"
import { workloads } from "./workloads.js"
import { onNodes as running } from "./running.js"
import type { Scenario } from "../../src/Conformance.js"

/** Scenarios for a server without nodes. A verb is added as one entry in one of the files. */
export const onServer: ReadonlyArray<Scenario> = [...reading, ...creating, ...applying, ...changing, ...workloads, ...deleting, ...clusterWide, ...nodes, ...streams, ...controlled, ...unmeasured]

/** Scenarios on the demo's node. */
export const onNodes: ReadonlyArray<Scenario> = [...running, ...sessions, ...debugging, ...controlledOnNodes, ...rollouts, ...measured]
