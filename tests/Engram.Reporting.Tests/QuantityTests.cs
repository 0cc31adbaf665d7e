using System.Globalization;

namespace Engram.Reporting.Tests;

public sealed class QuantityTests
{
    [Fact]
    public void Numbers_do_not_depend_on_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        comma.NumberFormat.NegativeSign = "~";
        try
        {
            CultureInfo.CurrentCulture = comma;
            Assert.Equal("97.3", Quantity.Percent(0.973));
            Assert.Equal("−78.3", Quantity.Points(-0.783));
            Assert.DoesNotContain("97,3", HtmlReport.Render(SampleRuns.Digits()), StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Quantities_carry_their_units()
    {
        Assert.Equal("97.3 %", Quantity.PercentWithSign(0.973));
        Assert.Equal("–", Quantity.PercentWithSign(double.NaN));
        Assert.Equal("+1.0", Quantity.Points(0.01));
        Assert.Equal("0.0", Quantity.Points(-0.0001));
        Assert.Equal("0.21 s", Quantity.Duration(0.21));
        Assert.Equal("59.9 s", Quantity.Duration(59.9));
        Assert.Equal("1 min 00 s", Quantity.Duration(59.99));
        Assert.Equal("2 min 05 s", Quantity.Duration(125));
        Assert.Equal("1 h 02 min", Quantity.Duration(3725));
        Assert.Equal("60,000", Quantity.Count(60000));
        Assert.Equal("1,023 B", Quantity.Bytes(1023));
        Assert.Equal("784.0 KiB", Quantity.Bytes(802816));
        Assert.Equal("1.5 GiB", Quantity.Bytes(1610612736));
    }
}
