/** Rules of Endpoints. */
import { isIP } from "node:net"
import { invalid, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { address, named, oneOf, optionalName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

/** An address of a pod: not one that every host has, or that no host has. @category combinators */
export const validatePodAddress = (path: string, ip: string): Errors => {
  const family = isIP(ip)
  if (family === 0) return address(path, ip)
  const text = ip.toLowerCase()
  const [first = 0, second = 0, third = 0] = family === 4 ? ip.split(".").map(Number) : []
  const head = family === 6 ? Number.parseInt(text.split(":")[0] ?? "0", 16) : 0
  const problems = [
    ...(text === "0.0.0.0" || text === "::" ? ["may not be unspecified (0.0.0.0 or ::)"] : []),
    ...(first === 127 || text === "::1" ? ["may not be in the loopback range (127.0.0.0/8, ::1/128)"] : []),
    ...((first === 169 && second === 254) || (head & 0xffc0) === 0xfe80
      ? ["may not be in the link-local range (169.254.0.0/16, fe80::/10)"]
      : []),
    ...((first === 224 && second === 0 && third === 0) || (head & 0xff0f) === 0xff02
      ? ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]
      : [])
  ]
  return problems.map((problem) => invalid(path, ip, problem))
}

const validateAddresses = (path: string, addresses: ReadonlyArray<CoreV1.EndpointAddress>): Errors =>
  addresses.flatMap(({ hostname, ip, nodeName }, index) => {
    const at = `${path}[${index}]`
    return [
      ...validatePodAddress(`${at}.ip`, ip),
      ...optionalName(`${at}.hostname`, hostname, Names.isDns1123Label),
      ...optionalName(`${at}.nodeName`, nodeName, Names.isDns1123Subdomain)
    ]
  })

const validatePorts = (path: string, ports: ReadonlyArray<CoreV1.EndpointPort>): Errors =>
  ports.flatMap(({ appProtocol, name = "", port, protocol }, index) => {
    const at = `${path}[${index}]`
    return [
      ...(name === "" ? (ports.length > 1 ? [required(`${at}.name`)] : []) : named(`${at}.name`, name, Names.isDns1123Label)),
      ...Names.isPortNumber(port).map((problem) => invalid(`${at}.port`, port, problem)),
      ...oneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
      ...(appProtocol === undefined ? [] : named(`${at}.appProtocol`, appProtocol, Names.isQualifiedName))
    ]
  })

/** @category combinators */
export const validateEndpoints = ({ subsets = [] }: CoreV1.Endpoints): Errors =>
  subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const at = `subsets[${index}]`
    return [
      ...(addresses.length + notReadyAddresses.length === 0
        ? [required(at, "must specify `addresses` or `notReadyAddresses`")]
        : []),
      ...validateAddresses(`${at}.addresses`, addresses),
      ...validateAddresses(`${at}.notReadyAddresses`, notReadyAddresses),
      ...validatePorts(`${at}.ports`, ports)
    ]
  })
