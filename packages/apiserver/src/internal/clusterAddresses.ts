/**
 * Addresses that the server itself may connect to when a user names them: those of the machine, of private networks and of
 * the cluster. So nobody uses the server to reach what they cannot reach themselves.
 */
import { BlockList, isIPv6 } from "node:net"

const allowed = new BlockList()
for (const [network, length] of [["127.0.0.0", 8], ["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["100.64.0.0", 10]] as const) {
  allowed.addSubnet(network, length, "ipv4")
}
allowed.addAddress("::1", "ipv6")
allowed.addSubnet("fc00::", 7, "ipv6")

/** Whether an IP address lies in the cluster. */
export const isInCluster = (address: string): boolean => allowed.check(address, isIPv6(address) ? "ipv6" : "ipv4")

const nowhere = new BlockList()
for (const [network, length] of [["0.0.0.0", 8], ["169.254.0.0", 16], ["224.0.0.0", 3]] as const) nowhere.addSubnet(network, length, "ipv4")
nowhere.addAddress("::", "ipv6")
nowhere.addSubnet("fe80::", 10, "ipv6")
nowhere.addSubnet("ff00::", 8, "ipv6")

/** Whether an IP address can be that of a pod: not one of the link, of many, or of nobody, whatever an EndpointSlice says. */
export const isOfPod = (address: string): boolean => !nowhere.check(address, isIPv6(address) ? "ipv6" : "ipv4")
