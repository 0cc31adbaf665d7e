using Engram.Evaluation;
using ScottPlot;

namespace Engram.Reporting;

/// <summary>One heat map of <see cref="MatrixPlot"/>: how large its cells are, and how a strategy fills them.</summary>
/// <param name="Groups">The groups of classes, in the order they were learnt.</param>
/// <param name="Cell">Side of a cell in pixels.</param>
/// <param name="LabelWidth">Room for the names of the rows, in pixels.</param>
internal sealed record MatrixPanel(IReadOnlyList<ClassGroup> Groups, int Cell, int LabelWidth)
{
    private const int LabelLength = 14;
    private const int Top = 44;
    private const int Bottom = 62;
    private const int Right = 12;

    /// <summary>Width of the panel in pixels.</summary>
    public int Width => LabelWidth + Math.Max(Cell * Groups.Count, 180) + Right;

    /// <summary>Height of the panel in pixels.</summary>
    public int Height => Top + Math.Max(Cell * Groups.Count, 60) + Bottom + Slant;

    // Names of columns are turned when they are too long for their cell.
    private bool Turned => Groups.Any(g => PlotLabel.Of(g.Name, LabelLength).Length * 8 > Cell * NameEvery);

    private int Slant => Turned ? Math.Min(LabelLength, Groups.Max(g => g.Name.Length)) * 8 : 0;

    private int NameEvery => Cell < 20 ? (int)Math.Ceiling(Groups.Count / 12.0) : 1;

    /// <summary>The panel that suits these groups: cells shrink as groups multiply, numbers go when they get too small.</summary>
    public static MatrixPanel For(IReadOnlyList<ClassGroup> groups)
    {
        var cell = groups.Count switch { <= 4 => 84, <= 8 => 64, <= 20 => 38, <= 50 => 16, _ => 8 };
        var longest = groups.Select(g => PlotLabel.Of(g.Name, LabelLength)).DefaultIfEmpty("").Max(name => name.Length);
        return new(groups, cell, 44 + longest * 9);
    }

    /// <summary>The heat map of one strategy.</summary>
    public Plot Draw(StrategyResult strategy)
    {
        var plot = new Plot();
        var rows = Math.Min(strategy.Accuracy.Length, Groups.Count);
        for (var i = 0; i < rows; i++)
            for (var j = 0; j <= i && j < strategy.Accuracy[i].Length; j++)
                if (double.IsFinite(strategy.Accuracy[i][j])) DrawCell(plot, i, j, strategy.Accuracy[i][j]);
        Label(plot, strategy.Title);
        // Row 0 on top; square cells because the layout is fixed.
        plot.Axes.SetLimits(-0.5, Math.Max(Groups.Count, 1) - 0.5, Math.Max(Groups.Count, 1) - 0.5, -0.5);
        plot.Layout.Fixed(new PixelPadding(LabelWidth, Right, Bottom + Slant, Top));
        return plot;
    }

    private void DrawCell(Plot plot, int row, int column, double accuracy)
    {
        var cell = plot.Add.Rectangle(column - 0.5, column + 0.5, row - 0.5, row + 0.5);
        cell.FillColor = HeatScale.ColourOf(accuracy);
        cell.LineColor = Colors.White;
        cell.LineWidth = Cell < 20 ? 0 : 2;
        if (Cell < 30) return;
        var text = plot.Add.Text(Quantity.Percent(accuracy, Cell < 60 ? 0 : 1), column, row);
        text.LabelFontName = PlotFonts.Embedded;
        text.LabelFontSize = Cell < 60 ? 13 : 17;
        text.LabelFontColor = HeatScale.TextOn(accuracy);
        text.LabelAlignment = Alignment.MiddleCenter;
    }

    private void Label(Plot plot, string title)
    {
        var heading = PlotLabel.Fit(title, 17, Width - 16);
        plot.Axes.Title.Label.Text = heading;
        plot.Axes.Title.FullFigureCenter = true;
        plot.Axes.Title.Label.FontSize = 17;
        plot.Axes.Title.Label.FontName = PlotFonts.For(heading);
        var names = Groups.Select(g => PlotLabel.Of(g.Name, LabelLength)).ToArray();
        var font = PlotFonts.For(string.Concat(names));
        Name(plot.Axes.Bottom, "tested on group", names, font);
        Name(plot.Axes.Left, "after learning", names, font);
        if (Turned)
        {
            plot.Axes.Bottom.TickLabelStyle.Rotation = -90;
            plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
            plot.Axes.Bottom.MinimumSize = Bottom + Slant - 8;
        }
        plot.HideGrid();
        foreach (var side in plot.Axes.GetAxes()) side.FrameLineStyle.Width = 0;
    }

    private void Name(IAxis axis, string title, string[] names, string font)
    {
        axis.Label.Text = title;
        axis.Label.FontName = PlotFonts.Embedded;
        axis.Label.FontSize = 14;
        axis.Label.Bold = false;
        axis.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. Enumerable.Range(0, names.Length).Where(i => i % NameEvery == 0).Select(i => new Tick(i, names[i]))]);
        axis.TickLabelStyle.FontName = font;
        axis.TickLabelStyle.FontSize = 14;
        axis.MajorTickStyle.Length = 0;
    }
}
