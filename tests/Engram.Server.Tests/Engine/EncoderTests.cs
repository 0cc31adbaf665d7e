using System.Text.Json;
using Engram.Client;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Persistence.Onnx;
using Engram.Server.Inputs;
using Engram.Streams;
using SkiaSharp;
using TorchSharp;

namespace Engram.Server.Tests.Engine;

public sealed class EncoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-encoders-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("[1, 2]", "input", "2 numbers, expected 3")]
    [InlineData("[1, 2, \"x\"]", "input[2]", "\"x\", expected a number from -1e12 to 1e12")]
    [InlineData("[1, 1e300, 2]", "input[1]", "1e300, expected a number from -1e12 to 1e12")]
    [InlineData("{}", "input", "{}, expected an array of 3 numbers")]
    public void A_vector_that_does_not_fit_is_refused_by_its_field(string json, string field, string message)
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Vector, Size = 3 });

        Refused(encoder, json, field, message);
    }

    [Theory]
    [InlineData(InputKind.Vector)]
    [InlineData(InputKind.Image)]
    [InlineData(InputKind.Text)]
    [InlineData(InputKind.Tabular)]
    public void Text_that_is_damaged_is_refused_wherever_it_stands(InputKind kind)
    {
        using var encoder = Of(new InputSchema { Kind = kind, Size = 1, Height = 1, Width = 1, Columns = [new ColumnSchema { Name = "a", Kind = ColumnKind.Categorical }] });
        byte[][] inputs =
        [
            "\"\\ud800\""u8.ToArray(), "{\"a\":\"\\ud800\"}"u8.ToArray(), "{\"\\ud800\":\"a\"}"u8.ToArray(), // half of a pair
            [.. "\""u8, 0xff, .. "\""u8], [.. "{\"a\":\""u8, 0xff, .. "\"}"u8], [.. "{\"file\":\""u8, 0xff, .. "\"}"u8], [.. "{\""u8, 0xff, .. "\":1}"u8], // no UTF-8
        ];

        foreach (var json in inputs)
        {
            using var document = JsonDocument.Parse(json);
            Assert.StartsWith("input", Assert.Throws<InputException>(() => encoder.Pack(document.RootElement, "input")).Field, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_vector_is_read_and_given_back_as_it_came()
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Vector, Size = 3 });

        var packed = Pack(encoder, "[1.5,-2,1e10]");

        Assert.Equal([1.5f, -2, 1e10f], Numbers(encoder, packed));
        Assert.Equal("[1.5,-2,1E+10]", encoder.Unpack(packed).GetRawText());
    }

    [Fact]
    public void An_image_is_the_same_as_numbers_pixels_and_file()
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Image, Height = 2, Width = 2 });
        using var bitmap = new SKBitmap(2, 2, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        foreach (var (x, y, grey) in new[] { (0, 0, 0), (1, 0, 50), (0, 1, 100), (1, 1, 255) })
            bitmap.SetPixel(x, y, new SKColor((byte)grey, (byte)grey, (byte)grey));
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        var numbers = Pack(encoder, "[0, 50, 100, 255]");

        Assert.Equal([0, 50, 100, 255], numbers);
        Assert.Equal(numbers, Pack(encoder, JsonSerializer.Serialize(new { pixels = numbers })));
        Assert.Equal(numbers, Pack(encoder, JsonSerializer.Serialize(new { file = png.ToArray() })));
        Assert.Equal(numbers, encoder.Pack(encoder.Unpack(numbers), "input"));
    }

    [Theory]
    [InlineData("[0, 1, 2, 256]", "input[3]", "256, expected a number from 0 to 255")]
    [InlineData("{\"pixels\": \"AAA=\"}", "input.pixels", "2 bytes, expected 4")]
    [InlineData("{\"file\": \"AAA=\"}", "input.file", "no image, expected PNG or JPEG")]
    [InlineData("{\"other\": 1}", "input.other", "unknown, expected pixels or file")]
    public void An_image_that_does_not_fit_is_refused_by_its_field(string json, string field, string message)
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Image, Height = 2, Width = 2 });

        Refused(encoder, json, field, message);
    }

    [Fact]
    public void Texts_that_share_words_or_endings_are_alike_in_english_and_in_chinese()
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Text });
        double Alike(string first, string second) => Numbers(encoder, Text(encoder, first)).Zip(Numbers(encoder, Text(encoder, second)), (a, b) => (double)a * b).Sum();

        Assert.Equal(1, Alike("reset my password", "Reset my PASSWORD!"), 1e-5);
        Assert.True(Alike("reset my password", "please reset passwords") > 0.3 + Alike("reset my password", "what is the weather"));
        Assert.True(Alike("我想重置密码", "请重置我的密码") > 0.2 + Alike("我想重置密码", "今天天气怎么样"));
        Assert.Equal(0, Alike("", "anything"));
        Assert.Equal("\"reset\"", encoder.Unpack(Text(encoder, "reset")).GetRawText());
    }

    [Fact]
    public void Hashes_of_ngrams_never_change()
    {
        // Computed apart from the code, as its remarks say: the word hi, and begin-h-i.
        Assert.Equal([3913709279884340687, 2504270334358877558], new TextNgrams("Hi", 1, 3).All().Take(2));
    }

    [Fact]
    public void A_table_gives_standardised_numbers_places_of_words_and_what_is_missing()
    {
        using var encoder = Of(s_table);

        var packed = Pack(encoder, """{"age": 40, "city": "Rome", "note": null}""");

        var numbers = Numbers(encoder, packed);
        Assert.Equal([1, 0, 0, 1, 0, 0], numbers[..6]); // age (40 − 30)/10, not missing; Oslo, Rome, a bucket, not missing
        Assert.Equal(1, numbers[^1]); // note is missing
        Assert.Equal("""{"age":40,"city":"Rome","note":null}""", encoder.Unpack(packed).GetRawText());
        Assert.Equal(1, Numbers(encoder, Pack(encoder, "{}"))[1]);
        Assert.Equal(1, Numbers(encoder, Pack(encoder, """{"city": "Paris"}"""))[4]);
    }

    [Theory]
    [InlineData("{\"age\": \"old\"}", "input.age", "\"old\", expected a finite number")]
    [InlineData("{\"agee\": 1}", "input.agee", "no such column, expected age, city, note")]
    [InlineData("{\"age\": 1, \"age\": 2}", "input.age", "given twice")]
    public void A_row_that_does_not_fit_is_refused_by_its_column(string json, string field, string message)
    {
        using var encoder = Of(s_table);

        Refused(encoder, json, field, message);
    }

    [Fact]
    public void Columns_without_a_mean_are_measured_on_the_first_samples()
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Tabular, Columns = [new ColumnSchema { Name = "x" }] });
        byte[][] first = [Pack(encoder, """{"x": 10}"""), Pack(encoder, """{"x": 14}"""), Pack(encoder, "{}")];

        var measured = encoder.Measure(first);
        var again = encoder.With(measured.Measured);

        Assert.Equal([1, 0], Numbers(measured, first[1])); // (14 − 12)/2
        Assert.Equal(Numbers(measured, first[0]), Numbers(again, first[0]));
    }

    [Theory]
    [InlineData("[null,1]")]
    [InlineData("[1]")]
    [InlineData("3")]
    [InlineData("[\"a\",1]")]
    public void What_was_measured_must_be_two_numbers(string measured)
    {
        using var encoder = Of(new InputSchema { Kind = InputKind.Tabular, Columns = [new ColumnSchema { Name = "x" }] });

        Assert.Throws<InvalidDataException>(() => encoder.With(new System.Text.Json.Nodes.JsonObject { ["x"] = System.Text.Json.Nodes.JsonNode.Parse(measured) }));
    }

    [Fact]
    public void An_onnx_model_makes_features_of_numbers()
    {
        using (var learner = new Learner(() => new ContinualModel(new Mlp(4, 8))))
        {
            using var inputs = torch.ones(2, 4);
            learner.Learn(new Experience(0, TensorSource.OfClasses(inputs, ["a", "b"])));
            Bundle.Save(learner, Path.Combine(_folder, "bundle"));
        }
        using (var model = Bundle.LoadModel(Path.Combine(_folder, "bundle"))) OnnxFile.Write(Path.Combine(_folder, "two.onnx"), model);

        using var encoder = Of(new InputSchema { Kind = InputKind.Onnx, Size = 4, Encoder = "two.onnx" });

        Assert.Equal([2], encoder.Shape);
        Assert.Equal(2, Numbers(encoder, Pack(encoder, "[1, 2, 3, 4]")).Length);
    }

    [Theory]
    [InlineData("../two.onnx")]
    [InlineData("nothing.onnx")]
    [InlineData("..")]
    [InlineData("/etc/passwd")]
    public void An_encoder_outside_its_folder_is_refused(string name)
    {
        var problem = Assert.Throws<SpecificationException>(() => Of(new InputSchema { Kind = InputKind.Onnx, Size = 4, Encoder = name }));

        Assert.Equal("input.encoder", problem.Field);
    }

    private static readonly InputSchema s_table = new()
    {
        Kind = InputKind.Tabular,
        Columns =
        [
            new ColumnSchema { Name = "age", Mean = 30, Scale = 10 },
            new ColumnSchema { Name = "city", Kind = ColumnKind.Categorical, Values = ["Oslo", "Rome"], Buckets = 1 },
            new ColumnSchema { Name = "note", Kind = ColumnKind.Categorical, Buckets = 4 },
        ],
    };

    private InputEncoder Of(InputSchema schema) => InputEncoder.For(schema, _folder);

    private static byte[] Pack(InputEncoder encoder, string json)
    {
        using var document = JsonDocument.Parse(json);
        return encoder.Pack(document.RootElement, "input");
    }

    private static byte[] Text(InputEncoder encoder, string text) => encoder.Pack(JsonSerializer.SerializeToElement(text), "input");

    private static float[] Numbers(InputEncoder encoder, byte[] packed)
    {
        using var scope = torch.NewDisposeScope();
        return encoder.Encode([packed]).data<float>().ToArray();
    }

    private static void Refused(InputEncoder encoder, string json, string field, string message)
    {
        var problem = Assert.Throws<InputException>(() => Pack(encoder, json));
        Assert.Equal(field, problem.Field);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
    }
}
