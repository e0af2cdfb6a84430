/** What a host can answer instead of doing what was asked: one class per thing a caller can do differently. */
import * as Schema from "effect/Schema"
import type { CommandUnavailable } from "./CommandRunner.js"

const fields = {
  /** The operation that was asked for, as a verb phrase. */
  operation: Schema.String,
  /** Name of the zone, link, address or file it was about. */
  object: Schema.String,
  /** What the host printed, or what was observed. */
  detail: Schema.String
}

interface Fields {
  readonly operation: string
  readonly object: string
  readonly detail: string
}

const describe = (error: Fields, what: string, next: string): string =>
  `${error.operation} ${error.object}: ${what}${error.detail === "" ? "" : ` (${error.detail})`}; ${next}`

/** The zone is not configured on this host. @category errors */
export class ZoneNotFound extends Schema.TaggedError<ZoneNotFound>()("ZoneNotFound", fields) {
  override get message(): string {
    return describe(this, "no such zone on this host", "configure the zone first")
  }
}

/** A zone with that name exists already. @category errors */
export class ZoneAlreadyExists extends Schema.TaggedError<ZoneAlreadyExists>()("ZoneAlreadyExists", fields) {
  override get message(): string {
    return describe(this, "the zone exists already", "adopt it, or remove it before creating it again")
  }
}

/** The zone is in a state in which the operation is not possible. @category errors */
export class WrongZoneState extends Schema.TaggedError<WrongZoneState>()("WrongZoneState", fields) {
  override get message(): string {
    return describe(this, "not possible in the present state of the zone", "read the state again and take the step it needs")
  }
}

/** Another operation holds the lock of the zone; it goes away by itself. @category errors */
export class ZoneLocked extends Schema.TaggedError<ZoneLocked>()("ZoneLocked", fields) {
  override get message(): string {
    return describe(this, "another zoneadm works on the zone", "try again when it has finished")
  }
}

/** The zone did not leave a transient state in time; often only a reboot of the host ends this. @category errors */
export class ZoneStuck extends Schema.TaggedError<ZoneStuck>()("ZoneStuck", fields) {
  override get message(): string {
    return describe(this, "the zone did not reach the wanted state in time", "look for processes stuck in the kernel; the zone name stays unusable until they end")
  }
}

/** The brand is not installed on this host, or is no brand. @category errors */
export class BrandMissing extends Schema.TaggedError<BrandMissing>()("BrandMissing", fields) {
  override get message(): string {
    return describe(this, "the brand of the zone is not available on this host", "install the brand or choose one that HostInfo lists")
  }
}

/** A zone configuration cannot be written down, or zonecfg refused it. @category errors */
export class ZoneConfigRejected extends Schema.TaggedError<ZoneConfigRejected>()("ZoneConfigRejected", fields) {
  override get message(): string {
    return describe(this, "the zone configuration is not acceptable", "correct the named property")
  }
}

/** An object with that name exists already. @category errors */
export class LinkExists extends Schema.TaggedError<LinkExists>()("LinkExists", fields) {
  override get message(): string {
    return describe(this, "a datalink or interface with that name exists already", "reuse it, or delete it first")
  }
}

/** No such datalink or interface. @category errors */
export class LinkNotFound extends Schema.TaggedError<LinkNotFound>()("LinkNotFound", fields) {
  override get message(): string {
    return describe(this, "no such datalink or interface", "create the link, or the link below it, first")
  }
}

/** The link is plumbed, owned by a zone, or has links above it. @category errors */
export class LinkBusy extends Schema.TaggedError<LinkBusy>()("LinkBusy", fields) {
  override get message(): string {
    return describe(this, "the link is in use", "halt the zone that owns it or delete its IP interface, then try again")
  }
}

/** The link exists, but not as it was asked for. @category errors */
export class LinkMismatch extends Schema.TaggedError<LinkMismatch>()("LinkMismatch", fields) {
  override get message(): string {
    return describe(this, "the link exists with other settings", "delete the link when no zone uses it")
  }
}

/** The address, or the name of the address object, is taken. @category errors */
export class AddressExists extends Schema.TaggedError<AddressExists>()("AddressExists", fields) {
  override get message(): string {
    return describe(this, "the address is in use already", "choose another address, or delete the address object")
  }
}

/** No such address object. @category errors */
export class AddressNotFound extends Schema.TaggedError<AddressNotFound>()("AddressNotFound", fields) {
  override get message(): string {
    return describe(this, "no such address object", "create it first")
  }
}

/** The caller lacks privileges for the operation. @category errors */
export class HostPermissionDenied extends Schema.TaggedError<HostPermissionDenied>()("HostPermissionDenied", fields) {
  override get message(): string {
    return describe(this, "not enough privileges", "run as root in the global zone, or give the account the needed profile")
  }
}

/** No login into the zone was possible, or the program in it ended without giving an exit code. @category errors */
export class ZoneLoginFailed extends Schema.TaggedError<ZoneLoginFailed>()("ZoneLoginFailed", fields) {
  override get message(): string {
    return describe(this, "the command in the zone gave no exit code", "check that the zone is running and has a shell")
  }
}

/** A program printed something this package cannot read. @category errors */
export class UnreadableOutput extends Schema.TaggedError<UnreadableOutput>()("UnreadableOutput", fields) {
  override get message(): string {
    return describe(this, "the output has an unknown form", "compare the release of the host with the supported ones")
  }
}

/** Any other refusal. @category errors */
export class HostCommandFailed extends Schema.TaggedError<HostCommandFailed>()("HostCommandFailed", {
  ...fields,
  exitCode: Schema.Number
}) {
  override get message(): string {
    return describe(this, `failed with exit status ${this.exitCode}`, "run the command by hand on the host to see more")
  }
}

/**
 * Everything a host operation of this package can fail with.
 *
 * @category errors
 */
export type HostError =
  | CommandUnavailable
  | ZoneNotFound
  | ZoneAlreadyExists
  | WrongZoneState
  | ZoneLocked
  | ZoneStuck
  | BrandMissing
  | ZoneConfigRejected
  | LinkExists
  | LinkNotFound
  | LinkBusy
  | LinkMismatch
  | AddressExists
  | AddressNotFound
  | HostPermissionDenied
  | ZoneLoginFailed
  | UnreadableOutput
  | HostCommandFailed
