/** What a host can answer instead of doing what was asked: one class per thing a caller can do differently. */
import * as Schema from "effect/Schema"
import type { CommandUnavailable } from "./CommandRunner.js"
import { describe, errorFields } from "./internal/errorFields.js"
import type { NetworkError } from "./NetworkError.js"
import type { ServiceError } from "./ServiceError.js"

/** The zone is not configured on this host. @category errors */
export class ZoneNotFound extends Schema.TaggedError<ZoneNotFound>()("ZoneNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such zone on this host", "configure the zone first")
  }
}

/** A zone with that name exists already. @category errors */
export class ZoneAlreadyExists extends Schema.TaggedError<ZoneAlreadyExists>()("ZoneAlreadyExists", errorFields) {
  override get message(): string {
    return describe(this, "the zone exists already", "adopt it, or remove it before creating it again")
  }
}

/** The zone is in a state in which the operation is not possible. @category errors */
export class WrongZoneState extends Schema.TaggedError<WrongZoneState>()("WrongZoneState", errorFields) {
  override get message(): string {
    return describe(this, "not possible in the present state of the zone", "read the state again and take the step it needs")
  }
}

/** Another operation holds the lock of the zone; it goes away by itself. @category errors */
export class ZoneLocked extends Schema.TaggedError<ZoneLocked>()("ZoneLocked", errorFields) {
  override get message(): string {
    return describe(this, "another zoneadm works on the zone", "try again when it has finished")
  }
}

/** The zone did not leave a transient state in time; often only a reboot of the host ends this. @category errors */
export class ZoneStuck extends Schema.TaggedError<ZoneStuck>()("ZoneStuck", errorFields) {
  override get message(): string {
    return describe(this, "the zone did not reach the wanted state in time", "look for processes stuck in the kernel (ps -fz); until they end, or the host is rebooted, the name of the zone stays unusable")
  }
}

/** The brand is not installed on this host, or is no brand. @category errors */
export class BrandMissing extends Schema.TaggedError<BrandMissing>()("BrandMissing", errorFields) {
  override get message(): string {
    return describe(this, "the brand of the zone is not available on this host", "install the brand or choose one that HostInfo lists")
  }
}

/** A zone configuration cannot be written down, or zonecfg refused it. @category errors */
export class ZoneConfigRejected extends Schema.TaggedError<ZoneConfigRejected>()("ZoneConfigRejected", errorFields) {
  override get message(): string {
    return describe(this, "the zone configuration is not acceptable", "correct the named property")
  }
}

/** An earlier install or uninstall of the zone did not come to its end. @category errors */
export class ZoneIncomplete extends Schema.TaggedError<ZoneIncomplete>()("ZoneIncomplete", errorFields) {
  override get message(): string {
    return describe(this, "an install or uninstall of the zone was cut off", "uninstall the zone with force, then install it again")
  }
}

/** The name is none a zone can have. @category errors */
export class ZoneNameRejected extends Schema.TaggedError<ZoneNameRejected>()("ZoneNameRejected", errorFields) {
  override get message(): string {
    return describe(this, "the host does not accept the name of the zone", "derive the name with ZoneName")
  }
}

/** The directory of the zone cannot be used: not absolute, readable by others, occupied, or not as the host's index says. @category errors */
export class ZonepathRejected extends Schema.TaggedError<ZonepathRejected>()("ZonepathRejected", errorFields) {
  override get message(): string {
    return describe(this, "the zonepath cannot be used", "give it to root with mode 0700, remove what is left below it, or choose another path")
  }
}

/** Something is mounted below the root of the zone, so it cannot be removed. @category errors */
export class ZoneRootInUse extends Schema.TaggedError<ZoneRootInUse>()("ZoneRootInUse", errorFields) {
  override get message(): string {
    return describe(this, "file systems are mounted below the root of the zone", "unmount those that are listed, then try again")
  }
}

/** The root of the zone lacks what its brand needs to boot, or leads out of the zone. @category errors */
export class ZoneRootRejected extends Schema.TaggedError<ZoneRootRejected>()("ZoneRootRejected", errorFields) {
  override get message(): string {
    return describe(this, "the root of the zone cannot be booted by its brand", "use an image with what is named, or another brand")
  }
}

/** The zone runs, but what it is needed for did not come up in it. @category errors */
export class ZoneNotReady extends Schema.TaggedError<ZoneNotReady>()("ZoneNotReady", errorFields) {
  override get message(): string {
    return describe(this, "the zone runs but did not become ready in time", "look at the services (svcs -x -z) and the console of the zone")
  }
}

/** The zone was halted, or went down by itself, while it was waited for. @category errors */
export class ZoneWentDown extends Schema.TaggedError<ZoneWentDown>()("ZoneWentDown", errorFields) {
  override get message(): string {
    return describe(this, "the zone went down while it was waited for", "boot it again; look at its console if nobody halted it")
  }
}

/** What the zone shall be installed or cloned from does not exist or has an unknown form. @category errors */
export class InstallSourceRejected extends Schema.TaggedError<InstallSourceRejected>()("InstallSourceRejected", errorFields) {
  override get message(): string {
    return describe(this, "the installation source cannot be used", "name an existing snapshot, file system, archive or installed zone")
  }
}

/** The installer of the brand failed. @category errors */
export class ZoneInstallFailed extends Schema.TaggedError<ZoneInstallFailed>()("ZoneInstallFailed", errorFields) {
  override get message(): string {
    return describe(this, "the installer of the brand failed", "read the state of the zone; uninstall it with force when it is incomplete, then install it again")
  }
}

/** What a file system, device or dataset of the zone stands on does not exist in the global zone, or is in use there. @category errors */
export class ZoneResourceMissing extends Schema.TaggedError<ZoneResourceMissing>()("ZoneResourceMissing", errorFields) {
  override get message(): string {
    return describe(this, "something the zone is to be given is not available", "create the source that is named, or release it in the global zone, then try again")
  }
}

/** The zone could not be made ready or booted; it is out of the kernel again. @category errors */
export class ZoneBootFailed extends Schema.TaggedError<ZoneBootFailed>()("ZoneBootFailed", errorFields) {
  override get message(): string {
    return describe(this, "the zone did not come up", "correct what the host complains about, then boot again")
  }
}

/** The zone did not shut down by itself. @category errors */
export class ZoneShutdownFailed extends Schema.TaggedError<ZoneShutdownFailed>()("ZoneShutdownFailed", errorFields) {
  override get message(): string {
    return describe(this, "the zone did not shut down by itself", "halt the zone")
  }
}

/** The zone has no such login. @category errors */
export class ZoneUserUnknown extends Schema.TaggedError<ZoneUserUnknown>()("ZoneUserUnknown", errorFields) {
  override get message(): string {
    return describe(this, "the zone does not know this login", "add the account in the zone, or run the command as root")
  }
}

/** Somebody else is attached to the console of the zone. @category errors */
export class ConsoleInUse extends Schema.TaggedError<ConsoleInUse>()("ConsoleInUse", errorFields) {
  override get message(): string {
    return describe(this, "the console of the zone is in use", "end the process that is named, or wait until it detaches")
  }
}

/** The program of the host does not take these arguments. @category errors */
export class CommandMisused extends Schema.TaggedError<CommandMisused>()("CommandMisused", errorFields) {
  override get message(): string {
    return describe(this, "the host does not take the command in this form", "compare the release of the host with the dialect that was chosen")
  }
}

/** An object with that name exists already. @category errors */
export class LinkExists extends Schema.TaggedError<LinkExists>()("LinkExists", errorFields) {
  override get message(): string {
    return describe(this, "a datalink or interface with that name exists already", "reuse it, or delete it first")
  }
}

/** No such datalink or interface. @category errors */
export class LinkNotFound extends Schema.TaggedError<LinkNotFound>()("LinkNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such datalink or interface", "create the link, or the link below it, first")
  }
}

/** The link is plumbed, owned by a zone, or has links above it. @category errors */
export class LinkBusy extends Schema.TaggedError<LinkBusy>()("LinkBusy", errorFields) {
  override get message(): string {
    return describe(this, "the link is in use", "halt the zone that owns it or delete its IP interface, then try again")
  }
}

/** The link exists, but not as it was asked for. @category errors */
export class LinkMismatch extends Schema.TaggedError<LinkMismatch>()("LinkMismatch", errorFields) {
  override get message(): string {
    return describe(this, "the link exists with other settings", "delete the link when no zone uses it")
  }
}

/** The address, or the name of the address object, is taken. @category errors */
export class AddressExists extends Schema.TaggedError<AddressExists>()("AddressExists", errorFields) {
  override get message(): string {
    return describe(this, "the address is in use already", "choose another address, or delete the address object")
  }
}

/** No such address object. @category errors */
export class AddressNotFound extends Schema.TaggedError<AddressNotFound>()("AddressNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such address object", "create it first")
  }
}

/** The caller lacks privileges for the operation. @category errors */
export class HostPermissionDenied extends Schema.TaggedError<HostPermissionDenied>()("HostPermissionDenied", errorFields) {
  override get message(): string {
    return describe(this, "not enough privileges", "run as root in the global zone, or give the account the needed profile")
  }
}

/** No login into the zone was possible, or the program in it ended without giving an exit code. @category errors */
export class ZoneLoginFailed extends Schema.TaggedError<ZoneLoginFailed>()("ZoneLoginFailed", errorFields) {
  override get message(): string {
    return describe(this, "the command in the zone gave no exit code", "check that the zone is running and has a shell")
  }
}

/** A program printed something this package cannot read. @category errors */
export class UnreadableOutput extends Schema.TaggedError<UnreadableOutput>()("UnreadableOutput", errorFields) {
  override get message(): string {
    return describe(this, "the output has an unknown form", "compare the release of the host with the supported ones")
  }
}

/** Any other refusal. @category errors */
export class HostCommandFailed extends Schema.TaggedError<HostCommandFailed>()("HostCommandFailed", {
  ...errorFields,
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
  | NetworkError
  | ServiceError
  | ZoneNotFound
  | ZoneAlreadyExists
  | WrongZoneState
  | ZoneLocked
  | ZoneStuck
  | BrandMissing
  | ZoneConfigRejected
  | ZoneIncomplete
  | ZoneNameRejected
  | ZonepathRejected
  | ZoneRootInUse
  | ZoneRootRejected
  | ZoneNotReady
  | ZoneWentDown
  | InstallSourceRejected
  | ZoneInstallFailed
  | ZoneResourceMissing
  | ZoneBootFailed
  | ZoneShutdownFailed
  | ZoneUserUnknown
  | ConsoleInUse
  | CommandMisused
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
