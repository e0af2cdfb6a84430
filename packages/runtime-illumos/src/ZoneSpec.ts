/** What a zone shall be, in words that no brand and no tool of the host is bound to. */
import type { LinkName } from "./LinkName.js"
import type { RootFile } from "./RootFile.js"
import type { ZoneName } from "./ZoneName.js"
import type { ZoneResources } from "./ZoneResources.js"

/** One address of a zone on one of its links. Several of one link, of both families, stand side by side. @category models */
export interface ZoneNetwork {
  /** The VNIC; it must exist when the zone boots and must not be plumbed in the global zone. */
  readonly link: LinkName
  /** Address with prefix length, IPv4 or IPv6. The zone may use no others on the link. */
  readonly address: string
  /** Gateway inside the network of `address`. */
  readonly defaultRouter?: string | undefined
}

/** One file system mounted into a zone when it becomes ready. @category models */
export interface ZoneFileSystem {
  /** Absolute path inside the zone. */
  readonly dir: string
  /** What is mounted: for `lofs` an existing absolute path of the global zone. */
  readonly special: string
  /** `lofs`, `tmpfs`, `zfs`, … */
  readonly type: string
  /** Mount options such as `ro`, `nodevices`. */
  readonly options: ReadonlyArray<string>
}

/** One string attribute: name of letters, digits, `-` and `.`; value at most 255 bytes. @category models */
export interface ZoneAttribute {
  readonly name: string
  readonly value: string
}

/** How names are resolved inside a zone. @category models */
export interface ZoneDns {
  /** Addresses of name servers, the first asked first; resolvers use three at most. */
  readonly nameservers: ReadonlyArray<string>
  /** Domains tried for short names, in order. */
  readonly searches?: ReadonlyArray<string> | undefined
  /** Such as `ndots:5`. */
  readonly options?: ReadonlyArray<string> | undefined
}

/** A virtual machine in a zone (brand `bhyve`). @category models */
export interface ZoneMachine {
  /** Dataset of the volume it boots from, such as `rpool/vm1/root`. */
  readonly bootDisk?: string | undefined
  /** Datasets of further volumes, at most 16. */
  readonly disks?: ReadonlyArray<string> | undefined
  /** Absolute path of a medium to boot from, in the global zone. */
  readonly cdrom?: string | undefined
  /** Virtual CPUs. Default: as many as the CPU cap allows, at least 1. */
  readonly vcpus?: number | undefined
  /** Bytes of memory, in whole MiB. Default: the physical memory cap, or 1 GiB. */
  readonly ramBytes?: number | undefined
  /** Firmware below `/usr/share/bhyve/firmware`. Default: the brand's. */
  readonly firmware?: string | undefined
  /** Default `virtio-blk`. */
  readonly diskInterface?: string | undefined
  /** Default `virtio-net-viona`. */
  readonly netInterface?: string | undefined
  /** Device of the console. Default `/dev/zconsole`. */
  readonly console?: string | undefined
  /** `true`: the brand makes the data of cloud-init from this configuration; or a file or URL with it. Default off. */
  readonly cloudInit?: boolean | string | undefined
  /** Public key that cloud-init gives the first user. */
  readonly sshKey?: string | undefined
  /** Raw settings of the brand, name to value, such as `acpi` and `off`. They win over all others. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

/** What a zone shall be. @category models */
export interface ZoneSpec {
  readonly zoneName: ZoneName
  /** Absolute path, not yet existing or a directory with mode 0700. */
  readonly zonepath: string
  /** Name of a brand of the host; what is particular about it is known to its `ZoneBrand`. */
  readonly brand: string
  readonly attributes: ReadonlyArray<ZoneAttribute>
  readonly network: ReadonlyArray<ZoneNetwork>
  readonly fileSystems: ReadonlyArray<ZoneFileSystem>
  /** ZFS datasets handed over to the zone; not mounted in the global zone. */
  readonly datasets?: ReadonlyArray<string> | undefined
  /** Paths or globs below `/dev`. */
  readonly devices?: ReadonlyArray<string> | undefined
  /** Caps, shares and priorities; absent means none. */
  readonly resources?: ZoneResources | undefined
  /** Absent leaves name resolution as the image has it. */
  readonly dns?: ZoneDns | undefined
  /** What the zone calls itself. Absent leaves it as the image has it, which mostly means the name of the zone. */
  readonly hostname?: string | undefined
  /** Further files of the root, after those of the brand. A brand whose zones have no root of their own (`bhyve`) takes none. */
  readonly rootFiles?: ReadonlyArray<RootFile> | undefined
  /** Privileges, such as `default,dtrace_proc`. Default `default`. */
  readonly privileges?: string | undefined
  /**
   * What the root is made from, where the brand installs from an image: a ZFS snapshot or file system, or the absolute path of an archive.
   */
  readonly image?: string | undefined
  /** Linux release that brand `lx` reports, such as `5.10.0`. */
  readonly kernelVersion?: string | undefined
  /** The virtual machine of brand `bhyve`. */
  readonly machine?: ZoneMachine | undefined
  /** Arguments of the brand's installer, in place of those the brand would make. */
  readonly installArguments?: ReadonlyArray<string> | undefined
}
