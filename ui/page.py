"""What a page is: one of the screen's five, made when it is first shown."""

from kivy.uix.boxlayout import BoxLayout


class Page(BoxLayout):
    """Fills the page area. `entered` and `left` are called as it is shown and hidden; a hidden page moves nothing."""

    def entered(self) -> None:
        """It is shown now."""

    def left(self) -> None:
        """It is hidden now."""
