/** What the service management facility and the resource controls of a host can answer instead of doing what was asked. */
import * as Schema from "effect/Schema"
import { describe, errorFields } from "./internal/errorFields.js"

/** No service instance matches the name. @category errors */
export class ServiceNotFound extends Schema.TaggedError<ServiceNotFound>()("ServiceNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such service instance", "import its manifest, or check the name with svcs -a")
  }
}

/** The service, its snapshot or a property group has no such property. @category errors */
export class ServicePropertyNotFound extends Schema.TaggedError<ServicePropertyNotFound>()("ServicePropertyNotFound", errorFields) {
  override get message(): string {
    return describe(this, "the service has no such property", "list its properties with svcprop, or import the manifest that defines it")
  }
}

/** The service gave up: its methods failed, or somebody marked it. @category errors */
export class ServiceInMaintenance extends Schema.TaggedError<ServiceInMaintenance>()("ServiceInMaintenance", errorFields) {
  override get message(): string {
    return describe(this, "the service is in maintenance", "read its log (svcs -L), correct the cause, then run svcadm clear")
  }
}

/** Something the service needs is not online. @category errors */
export class ServiceDependencyUnmet extends Schema.TaggedError<ServiceDependencyUnmet>()("ServiceDependencyUnmet", errorFields) {
  override get message(): string {
    return describe(this, "a service that it depends on is not online", "see svcs -d for its dependencies, and enable them")
  }
}

/** The service is in a state in which the operation means nothing. @category errors */
export class WrongServiceState extends Schema.TaggedError<WrongServiceState>()("WrongServiceState", errorFields) {
  override get message(): string {
    return describe(this, "not possible in the present state of the service", "read the state again and take the step it needs")
  }
}

/** The service did not reach the wanted state in time. @category errors */
export class ServiceStuck extends Schema.TaggedError<ServiceStuck>()("ServiceStuck", errorFields) {
  override get message(): string {
    return describe(this, "the service did not reach the wanted state in time", "look at svcs -x and at the log of the service")
  }
}

/** A manifest cannot be written down, or svccfg refused it. @category errors */
export class ManifestRejected extends Schema.TaggedError<ManifestRejected>()("ManifestRejected", errorFields) {
  override get message(): string {
    return describe(this, "the manifest is not acceptable", "correct it and check it with svccfg validate")
  }
}

/** A resource control does not take the value, is not there, or is there already. @category errors */
export class ResourceControlRejected extends Schema.TaggedError<ResourceControlRejected>()("ResourceControlRejected", errorFields) {
  override get message(): string {
    return describe(this, "the resource control does not take this change", "compare with prctl -P -i zone, and with the limits of the control")
  }
}

/**
 * Everything the service management facility and the resource controls fail with, beyond what any command can.
 *
 * @category errors
 */
export type ServiceError =
  | ServiceNotFound
  | ServicePropertyNotFound
  | ServiceInMaintenance
  | ServiceDependencyUnmet
  | WrongServiceState
  | ServiceStuck
  | ManifestRejected
  | ResourceControlRejected
