using Engram.Cli.Images;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using SkiaSharp;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary><c>engram predict</c> on PNG and JPEG files.</summary>
public class PredictImageTests
{
    private static readonly Mnist s_mnist = Mnist.Load(Commands.DataFolder.Find()!);

    [Fact]
    public void Digits_as_png_files_are_predicted_as_the_bytes_they_hold()
    {
        using var folder = new Folder();
        var (digits, expected) = Learnt(folder["model"]);
        Directory.CreateDirectory(folder["images"]);
        for (var i = 0; i < expected.Length; i++) Write(folder[$"images/{i:00}.png"], digits[i], 28, SKEncodedImageFormat.Png);
        File.WriteAllText(folder["images/notes.txt"], "not an image");

        var all = Terminal.Run("predict", folder["model"], folder["images"]);
        var one = Terminal.Run("predict", folder["model"], folder["images/03.png"], "--json");

        Assert.Equal((ExitCode.Success, ""), (all.Code, all.Error));
        var rows = all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        Assert.Equal(Enumerable.Range(0, expected.Length).Select(i => $"{i:00}.png"), rows.Select(row => row[0]));
        Assert.Equal(expected, rows.Select(row => row[1]));
        Assert.Equal((expected[3], "03.png"), ((string)one.JsonLines.Single()["label"]!, (string)one.JsonLines.Single()["file"]!));
    }

    [Fact]
    public void Another_size_is_refused_unless_asked_to_resize()
    {
        using var folder = new Folder();
        var (digits, expected) = Learnt(folder["model"]);
        Write(folder["large.jpg"], digits[0], 112, SKEncodedImageFormat.Jpeg);

        var refused = Terminal.Run("predict", folder["model"], folder["large.jpg"]);
        var resized = Terminal.Run("predict", folder["model"], folder["large.jpg"], "--resize");

        Assert.Equal(ExitCode.Failure, refused.Code);
        Assert.Contains("112 × 112 pixels, expected 28 × 28 (--resize scales images)", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.StartsWith($"large.jpg\t{expected[0]}\t", resized.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40_000, 50_000)]
    [InlineData(1, 2_147_483_647)]
    [InlineData(0, 28)]
    public void A_bundle_cannot_ask_for_more_pixels_than_an_image_may_have(long height, long width)
    {
        using var folder = new Folder();
        Write(folder["digit.png"], new byte[784], 28, SKEncodedImageFormat.Png);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var problem = Assert.Throws<InvalidDataException>(
            () => ImageFile.Read(folder["digit.png"], [1, height, width], torch.ScalarType.Byte, resize: true));
        Assert.Contains("pixels wanted, expected 1 to 100000000", problem.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 1_000_000);
    }

    [Fact]
    public void What_is_no_image_is_named_in_one_line()
    {
        using var folder = new Folder();
        var (digits, _) = Learnt(folder["model"]);
        Directory.CreateDirectory(folder["empty"]);
        File.WriteAllText(folder["text.png"], "P5 28 28 255");
        Write(folder["cut.png"], digits[0], 28, SKEncodedImageFormat.Png);
        File.WriteAllBytes(folder["cut.png"], File.ReadAllBytes(folder["cut.png"])[..60]);

        foreach (var (name, message) in new[]
        {
            ("empty", "no images here"), ("text.png", "no image, expected PNG or JPEG"), ("cut.png", "expected a whole image"), ("none.png", "no such file"),
        })
        {
            var outcome = Terminal.Run("predict", folder["model"], folder[name]);
            Assert.Equal(name == "none.png" ? ExitCode.Usage : ExitCode.Failure, outcome.Code);
            Assert.Contains(message, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
            Assert.Contains(folder[name], outcome.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Colours_become_luma_grey_fills_all_channels_and_what_is_transparent_is_white()
    {
        using var folder = new Folder();
        using (var bitmap = new SKBitmap(new SKImageInfo(3, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul)))
        {
            bitmap.SetPixel(0, 0, new SKColor(200, 100, 50));
            bitmap.SetPixel(1, 0, new SKColor(7, 7, 7));
            bitmap.SetPixel(2, 0, new SKColor(0, 0, 0, 0));
            using var file = File.Create(folder["x.png"]);
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        }
        using var scope = torch.NewDisposeScope();
        var grey = ImageFile.Read(folder["x.png"], [1, 1, 3], torch.ScalarType.Byte, resize: false);
        var colour = ImageFile.Read(folder["x.png"], [3, 1, 3], torch.ScalarType.Byte, resize: false);
        var unit = ImageFile.Read(folder["x.png"], [1, 3], torch.ScalarType.Float32, resize: false);
        Assert.Equal([1, 1, 1, 3], grey.shape);
        Assert.Equal(new byte[] { 124, 7, 255 }, grey.data<byte>().ToArray()); // 0.299·200 + 0.587·100 + 0.114·50 = 124.2
        Assert.Equal(new byte[] { 200, 7, 255, 100, 7, 255, 50, 7, 255 }, colour.data<byte>().ToArray());
        Assert.Equal([124 / 255f, 7 / 255f, 1f], unit.data<float>().ToArray());
        Assert.Contains("learnt samples of [784]", Assert.Throws<InvalidDataException>(
            () => ImageFile.Read(folder["x.png"], [784], torch.ScalarType.Byte, resize: false)).Message, StringComparison.Ordinal);
    }

    // Learns digits 0 to 3, saves, and gives twenty test images of them and what is predicted for them.
    private static (byte[][] Digits, string[] Labels) Learnt(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 32)), new LearnerOptions { Epochs = 3 });
        learner.Learn(new Experience(0, SubsetSource.Balanced(SubsetSource.WithLabels(s_mnist.Train, Label.Numbers(0, 4)), 100)));
        Bundle.Save(learner, path);
        var images = s_mnist.Test.WithLabels(Label.Numbers(0, 4)).Balanced(5)
            .Inputs([.. Enumerable.Range(0, 20).Select(i => (long)i)]);
        using var prediction = learner.Predict(images);
        return ([.. images.reshape(20, 784).data<byte>().ToArray().Chunk(784)], [.. prediction.Labels.Select(label => label.Name)]);
    }

    private static void Write(string path, byte[] digit, int size, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(28, 28, SKColorType.Gray8));
        for (var i = 0; i < digit.Length; i++) bitmap.SetPixel(i % 28, i / 28, new SKColor(digit[i], digit[i], digit[i]));
        using var scaled = bitmap.Resize(new SKImageInfo(size, size, SKColorType.Gray8), new SKSamplingOptions(SKFilterMode.Linear));
        using var file = File.Create(path);
        (size == 28 ? bitmap : scaled).Encode(file, format, 95);
    }
}
