"""What a check found wrong, and what it could not look at on this machine."""

import os


class Findings:
    def __init__(self):
        self.wrong = []
        self.left_out = []

    def expect(self, condition, message):
        if not condition:
            self.wrong.append(message)

    def leave_out(self, what, why):
        """A machine may lack something; nobody is to believe that it was checked."""
        self.left_out.append(f"NOT CHECKED HERE: {what}: {why}")
        if os.environ.get("MOIM_TEST_ALL"):
            self.wrong.append(f"{what} is to be checked: {why}")
