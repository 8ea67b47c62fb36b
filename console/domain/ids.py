"""The kinds of identifier, one type each, so that they cannot be mixed up."""

from typing import NewType

StaffId = NewType("StaffId", str)
PersonKey = NewType("PersonKey", str)  # issuer|subject of the identity provider: one natural person
SessionKey = NewType("SessionKey", str)  # hex SHA-256 of the session token; the token itself is never stored
TenantId = NewType("TenantId", str)
PlaneId = NewType("PlaneId", str)
MemberId = NewType("MemberId", str)
LeaseId = NewType("LeaseId", str)
ImpersonationId = NewType("ImpersonationId", str)
RequestId = NewType("RequestId", str)
ExecutionId = NewType("ExecutionId", str)
EntryUid = NewType("EntryUid", str)
NoticeId = NewType("NoticeId", str)
ActionKey = NewType("ActionKey", str)
ReasonCode = NewType("ReasonCode", str)
RuleId = NewType("RuleId", str)
EndpointId = NewType("EndpointId", str)
MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
RunId = NewType("RunId", str)
JobId = NewType("JobId", str)
FreezeId = NewType("FreezeId", str)
ReviewId = NewType("ReviewId", str)
InboundId = NewType("InboundId", str)
Digest = NewType("Digest", str)  # hex SHA-256 over canonical bytes

SHARED_PLANE = PlaneId("shared")
