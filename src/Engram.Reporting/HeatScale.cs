using ScottPlot;

namespace Engram.Reporting;

/// <summary>Colours for fractions in pictures: near white for 0, deep blue for 1; one hue, so it prints and nobody is
/// excluded.</summary>
internal static class HeatScale
{
    private static readonly (double At, byte R, byte G, byte B)[] s_stops =
        [(0, 0xF1, 0xF5, 0xFA), (0.5, 0x7F, 0xB2, 0xDC), (1, 0x0A, 0x3F, 0x7A)];

    /// <summary>The colour of a cell.</summary>
    public static Color ColourOf(double fraction)
    {
        var value = Math.Clamp(fraction, 0, 1);
        var (low, high) = value <= 0.5 ? (s_stops[0], s_stops[1]) : (s_stops[1], s_stops[2]);
        var t = (value - low.At) / (high.At - low.At);
        byte Mix(byte from, byte to) => (byte)Math.Round(from + t * (to - from));
        return new Color(Mix(low.R, high.R), Mix(low.G, high.G), Mix(low.B, high.B));
    }

    /// <summary>Black or white, whichever stands out more from the cell.</summary>
    public static Color TextOn(double fraction)
    {
        var luminance = Luminance(ColourOf(fraction));
        return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? Colors.Black : Colors.White;
    }

    /// <summary>Relative luminance (WCAG 2.2), from 0 to 1.</summary>
    public static double Luminance(Color colour)
    {
        static double Linear(byte channel)
        {
            var c = channel / 255.0;
            return c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        }
        return 0.2126 * Linear(colour.R) + 0.7152 * Linear(colour.G) + 0.0722 * Linear(colour.B);
    }
}
