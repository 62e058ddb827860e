"""The walks over all resources: what a person types, in the order a person would.

``{image}`` is a small image; the hosts are those of ``nova-lite-all-in-one --hosts 3``: ``{host1}`` to ``{host3}``.
"""

from __future__ import annotations

from typing import Any

from tests.harness.clients.walk import Step


def admin(command: str, **more: Any) -> Step:
    return Step(command, cloud="nova-lite-admin", **more)


def nova(command: str, **more: Any) -> Step:
    return Step(command, client="nova", **more)


def shown(server: str, what: str, cloud: str = "nova-lite") -> Step:
    """The server comes to be so."""
    return Step(f"server show {server}", shows=what, within_s=20, cloud=cloud)


def create(name: str, *options: str) -> Step:
    words = " ".join(options)
    return Step(f"server create --image {{image}} --flavor walk-a {words} --wait {name}", keeps={name: "id"})


FLAVORS = (
    Step("flavor list", shows="m1.tiny"),
    admin("flavor create --ram 256 --vcpus 2 --disk 1 --id walk-c --property hw:cpu_policy=shared walk-c"),
    admin("flavor set --description larger --property hw:numa_nodes=1 walk-c"),
    admin("flavor show walk-c", shows="hw:numa_nodes='1'"),
    admin("flavor unset --property hw:numa_nodes walk-c"),
    admin("flavor create --ram 64 --vcpus 1 --disk 1 --private walk-private"),
    admin("flavor set --project demo walk-private"),
    Step("flavor show walk-private", shows="walk-private"),
    admin("flavor unset --project demo walk-private"),
    Step("flavor show walk-private", fails="No Flavor found|not found"),
    admin("flavor delete walk-private walk-c"),
    nova("flavor-list", shows="m1.tiny"),
)
KEYPAIRS = (
    Step("keypair create --type ssh walk-key"),
    Step("keypair list", shows="walk-key"),
    Step("keypair show walk-key", shows="fingerprint"),
    Step("keypair show nothing", fails="No Keypair found|not found"),
    nova("keypair-list", shows="walk-key"),
    Step("keypair delete walk-key"),
)
LIFE = (
    create("life", "--property a=b", "--description short"),
    Step("server list", shows="life.*ACTIVE"),
    Step("server list --long --status ACTIVE --name lif", shows="life"),
    nova("list", shows="life"),
    nova("show life", shows="ACTIVE"),
    Step("console log show life", shows="login"),
    Step("console url show --novnc life", shows="token"),
    Step("server set --property c=d --tag blue --name life2 life"),
    Step("server show life2", shows="blue"),
    Step("server unset --property c --tag blue life2"),
    Step("server set --name life life2"),
    nova("meta life set color=red"),
    nova("server-tag-list life"),
    Step("server stop life"),
    shown("life", "SHUTOFF"),
    Step("server start life"),
    shown("life", "ACTIVE"),
    Step("server reboot --hard --wait life"),
    Step("server pause life"),
    shown("life", "PAUSED"),
    Step("server unpause life"),
    shown("life", "ACTIVE"),
    Step("server suspend life"),
    shown("life", "SUSPENDED"),
    Step("server resume life"),
    shown("life", "ACTIVE"),
    Step("server lock --reason maintenance life"),
    Step("server show life", shows="maintenance"),
    Step("server stop life", fails="locked"),
    Step("server unlock life"),
    Step("server dump create life"),
    Step("server rescue life"),
    shown("life", "RESCUE"),
    Step("server unrescue life"),
    shown("life", "ACTIVE"),
    Step("server rebuild --image {image} --wait life"),
    Step("server image create --name walk-snap --wait life", shows="walk-snap"),
    Step("server backup create --name walk-backup --type daily --rotate 1 --wait life"),
    Step("server shelve --wait life"),
    shown("life", "SHELVED_OFFLOADED"),
    Step("server unshelve --wait life"),
    Step("server event list life", shows="unshelve"),
    nova("instance-action-list life", shows="create"),
    admin("server set --state error --auto-approve {life}"),
    Step("server show life", shows="ERROR"),
    admin("server set --state active --auto-approve {life}"),
    Step("server delete --wait life"),
    Step("server show {life}", fails="No Server found|not found"),
    Step("image delete walk-snap walk-backup"),
)
MOVES = (
    create("mover"),
    Step("server resize --flavor walk-b --wait mover"),
    shown("mover", "VERIFY_RESIZE"),
    Step("server resize confirm mover"),
    shown("mover", "ACTIVE.*"),
    Step("server resize --flavor walk-a --wait mover"),
    Step("server resize revert mover"),
    shown("mover", "ACTIVE"),
    admin("server migrate --wait {mover}"),
    Step("server migration confirm mover"),
    shown("mover", "ACTIVE"),
    admin("server migrate --live-migration --wait {mover}"),
    admin("server migration list", shows="live-migration"),
    admin("server list --all-projects --host {host1}"),
    Step("server delete --wait mover"),
)
EVACUATION = (
    create("refugee"),
    # A process keeps the version of its first question.
    admin("server list --all-projects"),
    admin("server migrate --live-migration --host {host3} --os-compute-api-version 2.30 {refugee}"),
    shown("{refugee}", "{host3}", cloud="nova-lite-admin"),
    admin("compute service set --down {host3} nova-compute"),
    admin("server evacuate {refugee}"),
    # From 2.95 an evacuated server stays off.
    shown("{refugee}", "SHUTOFF", cloud="nova-lite-admin"),
    # Not before the host has cleared away what was evacuated from it.
    admin("compute service set --up {host3} nova-compute", within_s=30),
    Step("server delete --wait refugee"),
)
AROUND = (
    Step("server group create --policy anti-affinity walk-group", keeps={"group": "id"}),
    create("member", "--hint group={group}"),
    Step("server group show walk-group", shows="{member}"),
    Step("server group list", shows="walk-group"),
    Step("server delete --wait member"),
    Step("server group delete walk-group"),
    admin("aggregate create --zone walk-zone walk-aggregate"),
    admin("aggregate add host walk-aggregate {host2}"),
    admin("aggregate set --property ssd=true walk-aggregate"),
    admin("aggregate show walk-aggregate", shows="ssd='true'"),
    Step("availability zone list", shows="walk-zone"),
    Step("server create --image {image} --flavor walk-a --availability-zone walk-zone --wait zoned"),
    Step("server show zoned", shows="walk-zone"),
    Step("server delete --wait zoned"),
    admin("aggregate remove host walk-aggregate {host2}"),
    admin("aggregate list --long", shows="walk-aggregate"),
    admin("aggregate delete walk-aggregate"),
    admin("compute service list", shows="nova-compute.*up"),
    admin("compute service set --disable --disable-reason cleaning {host2} nova-compute"),
    admin("compute service list --long", shows="cleaning"),
    admin("compute service set --enable {host2} nova-compute"),
    admin("hypervisor list", shows="{host1}"),
    admin("hypervisor show {host1}", shows="fake"),
    Step("limits show --absolute", shows="instances|maxTotal"),
    Step("quota show", shows="instances"),
    admin("quota set --instances 50 demo"),
    admin("quota show demo", shows="50"),
    Step("usage show"),
    admin("usage list"),
    Step("extension list --compute", shows="os-|Extended"),
    nova("limits", shows="Instances|Verb|Cores"),
    nova("server-group-list"),
    nova("availability-zone-list", shows="nova"),
)
VOLUMES = (
    Step("volume create --size 1 walk-volume", keeps={"volume": "id"}),
    Step("volume show walk-volume", shows="available", within_s=20),
    create("holder"),
    Step("server add volume holder walk-volume"),
    Step("server volume list holder", shows="{volume}", within_s=20),
    Step("volume show walk-volume", shows="in-use", within_s=20),
    Step("server remove volume holder walk-volume"),
    Step("volume show walk-volume", shows="available", within_s=20),
    Step("volume snapshot create --volume walk-volume walk-snapshot"),
    Step("volume snapshot list", shows="walk-snapshot.*available", within_s=20),
    Step("volume snapshot delete walk-snapshot"),
    Step("server create --flavor walk-a --image {image} --boot-from-volume 1 --wait booted"),
    Step("server show booted", shows="booted from volume"),
    Step("server delete --wait booted holder"),
    Step("volume delete walk-volume"),
)
NETWORKS = (
    Step("network create walk-net", keeps={"net": "id"}),
    Step("subnet create --network walk-net --subnet-range 10.77.0.0/24 walk-subnet"),
    Step("port create --network walk-net walk-port", keeps={"port": "id"}),
    Step("security group create walk-group"),
    Step("security group rule create --protocol tcp --dst-port 22 walk-group"),
    Step("server create --image {image} --flavor walk-a --port walk-port --wait plugged"),
    Step("server show plugged", shows=r"walk-net=10\.77\.0\."),
    Step("server add network plugged walk-net"),
    Step("port list --server plugged", shows=r"10\.77\.0\..*10\.77\.0\."),
    Step("server add security group plugged walk-group"),
    Step("server remove security group plugged walk-group"),
    Step("server remove port plugged walk-port"),
    Step("server delete --wait plugged"),
    Step("port delete walk-port"),
    Step("security group delete walk-group"),
    Step("subnet delete walk-subnet"),
    Step("network delete walk-net"),
)

WALKS = {
    "flavors": FLAVORS, "keypairs": KEYPAIRS, "life": LIFE, "moves": MOVES, "evacuation": EVACUATION,
    "around": AROUND, "volumes": VOLUMES, "networks": NETWORKS,
}  # fmt: skip
