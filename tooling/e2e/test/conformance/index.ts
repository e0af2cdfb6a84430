import { applying } from "./apply.js"
import { changing } from "./change.js"
import { clusterWide } from "./cluster.js"
import { creating } from "./create.js"
import { deleting } from "./delete.js"
import { nodes } from "./nodes.js"
import { reading } from "./get.js"
import { streams } from "./streams.js"
import { workloads } from "./workloads.js"
import { onNodes } from "./running.js"
import type { Scenario } from "../../src/Conformance.js"

/** Scenarios for a server without nodes. A verb is added as one entry in one of the files. */
export const onServer: ReadonlyArray<Scenario> = [...reading, ...creating, ...applying, ...changing, ...workloads, ...deleting, ...clusterWide, ...nodes, ...streams]

export { onNodes }
