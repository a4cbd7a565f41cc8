"""A district with an office process, and hands that sign."""

from tests.app.flows.test_erase import superuser
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped_pages import desk
from tests.app.web.conftest import district, far_folder, running

__all__ = ["desk", "district", "far_folder", "process", "running", "superuser"]
