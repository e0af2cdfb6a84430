/** The built-in kinds: one definition each, from which everything else about a kind follows. */
import type * as Kind from "./Kind.js"
import { admissionregistration } from "./kinds/groups/admissionregistration.js"
import { apiextensions } from "./kinds/groups/apiextensions.js"
import { apiregistration } from "./kinds/groups/apiregistration.js"
import { apps } from "./kinds/groups/apps.js"
import { authentication } from "./kinds/groups/authentication.js"
import { authorization } from "./kinds/groups/authorization.js"
import { autoscaling } from "./kinds/groups/autoscaling.js"
import { batch } from "./kinds/groups/batch.js"
import { certificates } from "./kinds/groups/certificates.js"
import { coordination } from "./kinds/groups/coordination.js"
import { core } from "./kinds/groups/core.js"
import { discovery } from "./kinds/groups/discovery.js"
import { events } from "./kinds/groups/events.js"
import { flowcontrol } from "./kinds/groups/flowcontrol.js"
import { networking } from "./kinds/groups/networking.js"
import { nodeGroup } from "./kinds/groups/node.js"
import { policy } from "./kinds/groups/policy.js"
import { rbac } from "./kinds/groups/rbac.js"
import { resource } from "./kinds/groups/resource.js"
import { scheduling } from "./kinds/groups/scheduling.js"
import { storage } from "./kinds/groups/storage.js"

export * from "./kinds/groups/admissionregistration.js"
export * from "./kinds/groups/apiextensions.js"
export * from "./kinds/groups/apiregistration.js"
export * from "./kinds/groups/apps.js"
export * from "./kinds/groups/authentication.js"
export * from "./kinds/groups/authorization.js"
export * from "./kinds/groups/autoscaling.js"
export * from "./kinds/groups/batch.js"
export * from "./kinds/groups/certificates.js"
export * from "./kinds/groups/coordination.js"
export * from "./kinds/groups/core.js"
export * from "./kinds/groups/discovery.js"
export * from "./kinds/groups/events.js"
export * from "./kinds/groups/flowcontrol.js"
export * from "./kinds/groups/metrics.js"
export * from "./kinds/groups/networking.js"
export * from "./kinds/groups/node.js"
export * from "./kinds/groups/policy.js"
export * from "./kinds/groups/rbac.js"
export * from "./kinds/groups/resource.js"
export * from "./kinds/groups/scheduling.js"
export * from "./kinds/groups/storage.js"

/** Every built-in kind, in the order of discovery. @category constructors */
export const all: ReadonlyArray<Kind.Kind> = [
  ...core,
  ...apiregistration,
  ...apps,
  ...events,
  ...authentication,
  ...authorization,
  ...autoscaling,
  ...batch,
  ...certificates,
  ...networking,
  ...policy,
  ...rbac,
  ...storage,
  ...admissionregistration,
  ...apiextensions,
  ...scheduling,
  ...coordination,
  ...nodeGroup,
  ...discovery,
  ...resource,
  ...flowcontrol
]
