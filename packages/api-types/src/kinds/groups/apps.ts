import type * as Kind from "../../Kind.js"
import { controllerRevision } from "../ControllerRevision.js"
import { daemonSet } from "../DaemonSet.js"
import { deployment } from "../Deployment.js"
import { replicaSet } from "../ReplicaSet.js"
import { statefulSet } from "../StatefulSet.js"

export { controllerRevision, daemonSet, deployment, replicaSet, statefulSet }

/** The kinds of `apps`, in the order of discovery. @category constructors */
export const apps: ReadonlyArray<Kind.Kind> = [controllerRevision, daemonSet, deployment, replicaSet, statefulSet]
