/** The built-in kinds: one definition each, from which everything else about a kind follows. */
import type * as Kind from "./Kind.js"
import { binding } from "./kinds/Binding.js"
import { configMap } from "./kinds/ConfigMap.js"
import { event } from "./kinds/Event.js"
import { lease } from "./kinds/Lease.js"
import { namespace } from "./kinds/Namespace.js"
import { node } from "./kinds/Node.js"
import { pod } from "./kinds/Pod.js"
import { secret } from "./kinds/Secret.js"
import { service } from "./kinds/Service.js"
import { serviceAccount } from "./kinds/ServiceAccount.js"

export { binding, configMap, event, lease, namespace, node, pod, secret, service, serviceAccount }

/** Every built-in kind, in the order of discovery. @category constructors */
export const all: ReadonlyArray<Kind.Kind> = [
  binding,
  configMap,
  event,
  namespace,
  node,
  pod,
  secret,
  serviceAccount,
  service,
  lease
]
