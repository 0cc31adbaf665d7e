using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Engram.Reporting.Html;

/// <summary>A piece of HTML. Made from interpolated strings, whose holes are encoded unless they are markup too.</summary>
/// <param name="Text">The HTML.</param>
internal readonly record struct Markup(string Text)
{
    /// <summary>No markup.</summary>
    public static Markup None { get; } = new("");

    /// <summary>Makes markup from a template: text in holes is encoded, so labels cannot become tags.</summary>
    public static Markup Of(MarkupTemplate template) => new(template.ToString());

    /// <summary>One piece per item, one after the other.</summary>
    public static Markup Each<T>(IEnumerable<T> items, Func<T, Markup> render) =>
        new(string.Concat(items.Select(item => render(item).Text)));

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>Builds <see cref="Markup"/> from an interpolated string.</summary>
[InterpolatedStringHandler]
internal readonly ref struct MarkupTemplate(int literalLength, int holes)
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _text = new(literalLength + 16 * holes);

    /// <summary>HTML written in the source.</summary>
    public void AppendLiteral(string html) => _text.Append(html);

    /// <summary>Text from outside: encoded.</summary>
    public void AppendFormatted(string? text) => _text.Append(s_encoder.Encode(text ?? ""));

    /// <summary>Markup: as it is.</summary>
    public void AppendFormatted(Markup markup) => _text.Append(markup.Text);

    /// <summary>A whole number.</summary>
    public void AppendFormatted(int number) => _text.Append(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A length or a fraction for SVG and CSS; numbers for readers go through <see cref="Quantity"/>.</summary>
    public void AppendFormatted(double number) =>
        _text.Append(number.ToString("0.###", CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
