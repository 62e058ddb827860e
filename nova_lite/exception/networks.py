"""Networks, ports and security groups."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, Forbidden, NotFound


class NetworkNotFound(NotFound):
    sentence = "Network %(network_id)s could not be found."


class NetworkAmbiguous(Conflict):
    sentence = "Multiple possible networks found, use a Network ID to be more specific."


class PortNotFound(NotFound):
    sentence = "Port id %(port_id)s could not be found."


class PortInUse(Conflict):
    sentence = "Port %(port_id)s is still in use."


class PortLimitExceeded(Forbidden):
    sentence = "Maximum number of ports exceeded"


class FixedIpInUse(Conflict):
    sentence = "Fixed IP address %(address)s is already in use."


class SecurityGroupNotFound(NotFound):
    sentence = "Security group %(security_group_id)s not found."


class SecurityGroupAmbiguous(Conflict):
    sentence = "Multiple security groups found matching '%(name)s'. Use an ID to be more specific."


class ExternalNetworkForbidden(Forbidden):
    sentence = "It is not allowed to create an interface on external network %(network_id)s"
