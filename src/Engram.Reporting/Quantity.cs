using System.Globalization;

namespace Engram.Reporting;

/// <summary>Numbers as readers see them: one culture, true minus signs, a dash where nothing was measured.</summary>
internal static class Quantity
{
    /// <summary>What stands where nothing was measured.</summary>
    public const string Missing = "–";

    /// <summary>A fraction in percent without the sign: 0.973 is <c>97.3</c>.</summary>
    public static string Percent(double fraction, int decimals = 1) => Fixed(100 * fraction, decimals);

    /// <summary>A fraction in percent with the sign: 0.973 is <c>97.3 %</c>.</summary>
    public static string PercentWithSign(double fraction) =>
        double.IsFinite(fraction) ? $"{Percent(fraction)} %" : Missing;

    /// <summary>A signed difference of fractions in percentage points: -0.783 is <c>−78.3</c>.</summary>
    public static string Points(double difference)
    {
        var text = Fixed(100 * difference, 1);
        return difference > 0 && text != "0.0" ? $"+{text}" : text;
    }

    /// <summary>A plain number with <paramref name="decimals"/> digits after the point.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value)) return Missing;
        var text = value.ToString($"N{decimals}", CultureInfo.InvariantCulture);
        return text.StartsWith('-') ? text.Trim('-', '0', '.', ',').Length == 0 ? text[1..] : $"−{text[1..]}" : text;
    }

    /// <summary>A count with thousands separated: 60000 is <c>60,000</c>.</summary>
    public static string Count(double count) => Fixed(count, 0);

    /// <summary>Seconds as <c>3.4 s</c>, <c>2 min 05 s</c> or <c>1 h 02 min</c>.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds)) return Missing;
        if (seconds < 59.95) return $"{Fixed(seconds, seconds < 0.95 ? 2 : 1)} s";
        var whole = (long)Math.Round(seconds);
        return whole < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{whole / 60} min {whole % 60:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 3600:N0} h {whole % 3600 / 60:00} min");
    }

    /// <summary>Bytes in binary units: 802816 is <c>784.0 KiB</c>.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1024 => $"{Count(bytes)} B",
        < 1024 * 1024 => $"{Fixed(bytes / 1024.0, 1)} KiB",
        < 1024L * 1024 * 1024 => $"{Fixed(bytes / (1024.0 * 1024), 1)} MiB",
        _ => $"{Fixed(bytes / (1024.0 * 1024 * 1024), 1)} GiB",
    };

    /// <summary>A moment with its offset: <c>2026-03-01 14:05 +00:00</c>.</summary>
    public static string Moment(DateTimeOffset moment) =>
        moment.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);
}
