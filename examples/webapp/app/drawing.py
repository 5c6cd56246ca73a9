"""Draw a line of text as a PNG: Pango lays it out, Cairo paints it."""

import io

import cairocffi
import pangocairocffi
import pangocffi

WIDTH, HEIGHT = 480, 96


def draw_text(text: str) -> bytes:
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, WIDTH, HEIGHT)
    context = cairocffi.Context(surface)
    context.set_source_rgb(0.10, 0.16, 0.25)
    context.paint()

    layout = pangocairocffi.create_layout(context)
    layout.font_description = pangocffi.FontDescription()
    layout.font_description.family = "DejaVu Sans"
    layout.font_description.size = pangocffi.units_from_double(20)
    layout.width = pangocffi.units_from_double(WIDTH - 32)
    layout.text = text

    context.set_source_rgb(1, 1, 1)
    context.move_to(16, 32)
    pangocairocffi.show_layout(context, layout)

    png = io.BytesIO()
    surface.write_to_png(png)
    return png.getvalue()
