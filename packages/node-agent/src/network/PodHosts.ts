/** What a pod calls itself, and its `/etc/hosts`. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { RootFile, ZoneRuntime } from "@reddwarf/runtime-illumos"

/** Longest label of a host name. */
const longestLabel = 63

/** The name without its domain: that of the pod unless it says another one. @category combinators */
export const hostname = (pod: CoreV1.Pod): string => {
  const { hostname: said } = pod.spec ?? {}
  if (said !== undefined && said !== "") return said
  return (pod.metadata.name ?? "").slice(0, longestLabel).replace(/[-.]+$/, "")
}

/** The domain of a pod with a `subdomain`; absent without one. */
const domainOf = (pod: CoreV1.Pod, clusterDomain: string): string | undefined => {
  const { subdomain } = pod.spec ?? {}
  return subdomain === undefined || subdomain === "" ? undefined : `${subdomain}.${pod.metadata.namespace ?? "default"}.svc.${clusterDomain}`
}

/** What the system of the pod calls itself: with its domain where the pod asks for that. @category combinators */
export const nodename = (pod: CoreV1.Pod, clusterDomain: string): string => {
  const domain = domainOf(pod, clusterDomain)
  return pod.spec?.setHostnameAsFQDN === true && domain !== undefined ? `${hostname(pod)}.${domain}` : hostname(pod)
}

/** Of every host. `loghost` is what the syslog of illumos sends to. */
const always = [
  "# Kubernetes-managed hosts file.",
  "127.0.0.1\tlocalhost loghost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters"
]

/**
 * The content of `/etc/hosts` of a pod with these addresses.
 *
 * @category constructors
 */
export const file = (pod: CoreV1.Pod, addresses: ReadonlyArray<string>, clusterDomain: string): string => {
  const name = hostname(pod)
  const domain = domainOf(pod, clusterDomain)
  const names = domain === undefined ? [name] : [`${name}.${domain}`, name]
  const aliases = (pod.spec?.hostAliases ?? []).filter(({ hostnames = [] }) => hostnames.length > 0)
  return [
    ...always,
    ...addresses.map((address) => [address, ...names].join("\t")),
    ...(aliases.length === 0 ? [] : ["", "# Entries added by HostAliases.", ...aliases.map(({ hostnames = [], ip }) => [ip, ...hostnames].join("\t"))])
  ].map((line) => `${line}\n`).join("")
}

const path = "/etc/hosts"

/**
 * The file for the root of the pod's zone, unless a container mounts something of its own there.
 *
 * @category constructors
 */
export const rootFiles = (
  pod: CoreV1.Pod,
  addresses: ReadonlyArray<string>,
  clusterDomain: string,
  fileSystems: ReadonlyArray<Pick<ZoneRuntime.ZoneFileSystem, "dir">>
): ReadonlyArray<RootFile.RootFile> =>
  fileSystems.some(({ dir }) => dir === path || dir === "/etc") ? [] : [{ path, content: file(pod, addresses, clusterDomain), mode: 0o644 }]
