import type * as Kind from "../../Kind.js"
import { binding } from "../Binding.js"
import { componentStatus } from "../ComponentStatus.js"
import { configMap } from "../ConfigMap.js"
import { endpoints } from "../Endpoints.js"
import { event } from "../Event.js"
import { limitRange } from "../LimitRange.js"
import { namespace } from "../Namespace.js"
import { node } from "../Node.js"
import { persistentVolume } from "../PersistentVolume.js"
import { persistentVolumeClaim } from "../PersistentVolumeClaim.js"
import { pod } from "../Pod.js"
import { podTemplate } from "../PodTemplate.js"
import { replicationController } from "../ReplicationController.js"
import { resourceQuota } from "../ResourceQuota.js"
import { secret } from "../Secret.js"
import { service } from "../Service.js"
import { serviceAccount } from "../ServiceAccount.js"

export {
  binding,
  componentStatus,
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  podTemplate,
  replicationController,
  resourceQuota,
  secret,
  service,
  serviceAccount
}

/** The kinds of the core group, in the order of discovery. @category constructors */
export const core: ReadonlyArray<Kind.Kind> = [
  binding,
  componentStatus,
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  persistentVolumeClaim,
  persistentVolume,
  pod,
  podTemplate,
  replicationController,
  resourceQuota,
  secret,
  serviceAccount,
  service
]
