export * as AddressPool from "./AddressPool.js"
export * as Ipam from "./Ipam.js"
export * as IpamError from "./IpamError.js"
export * as LeaseRepair from "./LeaseRepair.js"
