using ScottPlot;

namespace Engram.Reporting;

/// <summary>How one strategy is drawn: colour, marker and line pattern, so that no one of them has to be seen.</summary>
/// <param name="Index">Position in the palette, from 0.</param>
/// <param name="Light">Colour on white, as <c>#RRGGBB</c>.</param>
/// <param name="Dark">Colour on a dark page, as <c>#RRGGBB</c>.</param>
/// <param name="Marker">Shape of the points in plots.</param>
/// <param name="MarkerPath">The same shape as an SVG path around the origin.</param>
/// <param name="Filled">Whether the marker is filled; otherwise it is drawn in outline.</param>
/// <param name="Dashes">Lengths of strokes and gaps; empty for a solid line.</param>
internal sealed record SeriesStyle(
    int Index, string Light, string Dark, MarkerShape Marker, string MarkerPath, bool Filled, float[] Dashes);

/// <summary>Styles that stay apart in print and, the first twelve, with every kind of colour blindness.</summary>
/// <remarks>
/// Six colours after Okabe and Ito, darkened to stand out on white; each comes twice, with another marker and another
/// line pattern. After every twelve, marker and line pattern move on by one against the colour, so that no two of the 48
/// are alike.
/// </remarks>
internal static class Palette
{
    private static readonly (string Light, string Dark)[] s_colours =
    [
        ("#0072B2", "#56B4E9"),
        ("#D55E00", "#FF8A3D"),
        ("#00875F", "#2CC79A"),
        ("#B3478F", "#E08CC0"),
        ("#B07D00", "#E6B422"),
        ("#3B4552", "#C3CCD6"),
    ];

    private static readonly float[][] s_dashes = [[], [9, 4], [2, 4], [10, 4, 2, 4]];

    private const string Circle = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z";
    private const string Square = "M-4.2 -4.2h8.4v8.4h-8.4z";
    private const string Up = "M0 -5.2L5 3.8H-5z";
    private const string Down = "M0 5.2L5 -3.8H-5z";
    private const string Diamond = "M0 -5.6L5.6 0L0 5.6L-5.6 0z";

    private static readonly (MarkerShape Shape, string Path, bool Filled)[] s_markers =
    [
        (MarkerShape.FilledCircle, Circle, true),
        (MarkerShape.FilledSquare, Square, true),
        (MarkerShape.FilledTriangleUp, Up, true),
        (MarkerShape.FilledDiamond, Diamond, true),
        (MarkerShape.FilledTriangleDown, Down, true),
        (MarkerShape.Cross, "M-5 0H5M0 -5V5", false),
        (MarkerShape.OpenCircle, Circle, false),
        (MarkerShape.OpenSquare, Square, false),
        (MarkerShape.OpenTriangleUp, Up, false),
        (MarkerShape.OpenDiamond, Diamond, false),
        (MarkerShape.OpenTriangleDown, Down, false),
        (MarkerShape.Eks, "M-4 -4L4 4M-4 4L4 -4", false),
    ];

    /// <summary>All styles, in the order strategies take them.</summary>
    public static IReadOnlyList<SeriesStyle> Styles { get; } =
    [
        .. Enumerable.Range(0, 48).Select(i => new SeriesStyle(
            i,
            s_colours[i % 6].Light,
            s_colours[i % 6].Dark,
            s_markers[(i + (i / 12)) % 12].Shape,
            s_markers[(i + (i / 12)) % 12].Path,
            s_markers[(i + (i / 12)) % 12].Filled,
            s_dashes[(i + (i / 12)) % 4])),
    ];

    /// <summary>The style of the strategy at <paramref name="index"/>; styles repeat after 48.</summary>
    public static SeriesStyle Of(int index) => Styles[index % Styles.Count];
}
