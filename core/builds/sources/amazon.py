"""The source "amazon-ebs": an instance at Amazon that is provisioned, and the AMI that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.amazon import images
from core.builds.amazon.account import Ec2, account_of, need_boto
from core.builds.amazon.settings import read
from core.builds.amazon.workshop import AmazonWorkshop
from core.builds.scene import Scene
from core.errors import NotFoundError
from core.templates.model import Settings


class AmazonSource:
    """Implements :class:`core.builds.base.Source` and ``Replacing``."""

    kind: ClassVar[str] = "amazon-ebs"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        given.check()
        need_boto()
        if given.user_data_file and not scene.path(given.user_data_file).is_file():
            raise NotFoundError(
                f"There is no {scene.path(given.user_data_file)}.", why='"user_data_file" names it.'
            )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        # A state between two steps would be an image of its own, which takes minutes and costs money.
        return {}

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        if not (given.force_deregister or given.skip_create_ami):
            ec2 = Ec2(account_of(given, scene.world.environment))
            await images.refuse_taken(ec2, given.ami_name)

    def workshop(self, settings: Settings, scene: Scene) -> AmazonWorkshop:
        return AmazonWorkshop(read(settings), scene)
