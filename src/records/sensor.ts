/** Columns that name an observation point, the first that a record has: the interface, a regional NAT gateway, an attachment. */
export const sensorFields = ['interface_id', 'resource_id', 'tgw_attachment_id'] as const
