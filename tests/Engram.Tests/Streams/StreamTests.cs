using System.Globalization;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Streams;

public class StreamTests
{
    private static readonly Label[][] s_pairs = ClassGroups.Split(Label.Numbers(0, 10), 5);
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 20);
    private static readonly EvaluationSet s_test = TestData.Mnist.Test.Balanced(4);

    private static byte[] Bytes(ISampleSource source)
    {
        using var scope = NewDisposeScope();
        return source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs.data<byte>().ToArray();
    }

    [Fact]
    public void Task_incremental_streams_tell_the_task_in_training_and_at_test_time()
    {
        var stream = ExperienceStream.TaskIncremental(s_train, s_test, s_pairs);
        Assert.Equal([0, 1, 2, 3, 4], stream.Experiences.Select(e => e.TaskId!.Value));
        Assert.Equal([0, 1, 2, 3, 4], stream.Tests.Select(t => t.TaskId!.Value));
    }

    [Fact]
    public void Domain_incremental_labels_are_places_in_the_group()
    {
        var stream = ExperienceStream.DomainIncremental(s_train, s_test, [["3", "1"], ["8", "2"]]);
        var experience = stream.Experiences[0];
        Assert.Equal(["first", "second"], experience.Classes.Select(label => label.Name).Order());
        Assert.Null(experience.TaskId);
        var digits = SubsetSource.WithLabels(s_train, ["3", "1"]);
        using var scope = NewDisposeScope();
        var targets = experience.Train.Gather([0, 1, 2, 3]).Targets.data<long>().ToArray();
        for (var i = 0; i < 4; i++)
        {
            var digit = digits.Labels[digits.Codes.Span[i]].Name;
            Assert.Equal(digit == "3" ? "first" : "second", experience.Classes[experience.Train.Codes.Span[i]].Name);
            Assert.Equal(experience.Train.Codes.Span[i], targets[i]);
        }
    }

    [Fact]
    public void Permuted_inputs_are_bytes_in_another_order_and_the_same_for_the_same_seed()
    {
        var stream = ExperienceStream.Permuted(s_train, s_test, 3, seed: 5);
        var (original, permuted) = (Bytes(stream.Experiences[0].Train), Bytes(stream.Experiences[1].Train));
        Assert.Equal(Bytes(s_train), original);
        Assert.NotEqual(original, permuted);
        Assert.Equal(original[..784].Order(), permuted[..784].Order());
        Assert.Equal(permuted, Bytes(ExperienceStream.Permuted(s_train, s_test, 3, seed: 5).Experiences[1].Train));
        Assert.NotEqual(permuted, Bytes(ExperienceStream.Permuted(s_train, s_test, 3, seed: 6).Experiences[1].Train));
        Assert.NotEqual(permuted, Bytes(stream.Experiences[2].Train));
        // Training and test samples share the order.
        using var scope = NewDisposeScope();
        var one = s_train.Gather([0]);
        var same = ExperienceStream.Permuted(s_train, new EvaluationSet("same", s_train), 3, seed: 5);
        Assert.Equal(Bytes(same.Experiences[1].Train), Bytes(same.Tests[1].Samples));
    }

    [Fact]
    public void A_rotation_by_90_degrees_moves_every_pixel_exactly_and_by_0_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var images = arange(2 * 6 * 6, ScalarType.Byte).view(2, 1, 6, 6);
        var source = TensorSource.OfClasses(images.clone(), [0, 0], ["a"]);
        Assert.Equal(images.rot90(1, (2, 3)).data<byte>().ToArray(), Bytes(TransformedSource.Rotated(source, 90)));
        Assert.Equal(images.data<byte>().ToArray(), Bytes(TransformedSource.Rotated(source, 0)));
        var wide = TensorSource.OfClasses(images.view(2, 1, 3, 12).clone(), [0, 0], ["a"]);
        Assert.Equal(images.view(2, 1, 3, 12).rot90(2, (2, 3)).data<byte>().ToArray(), Bytes(TransformedSource.Rotated(wide, 180)));
    }

    [Fact]
    public void A_rotation_by_30_degrees_agrees_with_bilinear_sampling_by_hand()
    {
        var source = SubsetSource.Balanced(s_train, 1);
        var (before, after) = (Bytes(source), Bytes(TransformedSource.Rotated(source, 30)));
        var (sin, cos) = Math.SinCos(30 * Math.PI / 180);
        for (var y = 0; y < 28; y++)
            for (var x = 0; x < 28; x++)
            {
                // Counter-clockwise to the eye: the output at (x, y) shows the input turned back, y downwards.
                var (dx, dy) = (x - 13.5, y - 13.5);
                var (sx, sy) = ((cos * dx) - (sin * dy) + 13.5, (sin * dx) + (cos * dy) + 13.5);
                var (x0, y0) = ((int)Math.Floor(sx), (int)Math.Floor(sy));
                double At(int px, int py) => px is >= 0 and < 28 && py is >= 0 and < 28 ? before[(py * 28) + px] : 0;
                var top = (At(x0, y0) * (x0 + 1 - sx)) + (At(x0 + 1, y0) * (sx - x0));
                var bottom = (At(x0, y0 + 1) * (x0 + 1 - sx)) + (At(x0 + 1, y0 + 1) * (sx - x0));
                var expected = (top * (y0 + 1 - sy)) + (bottom * (sy - y0));
                Assert.InRange(after[(y * 28) + x], expected - 0.51, expected + 0.51);
            }
    }

    [Fact]
    public void Online_streams_pass_every_sample_once_in_tiny_experiences()
    {
        var stream = ExperienceStream.TaskIncremental(s_train, s_test, [["0", "1", "2"], ["3"]]).Online(7, seed: 1);
        Assert.Equal(9 + 3, stream.Experiences.Count);
        Assert.Equal([8, 11], stream.MeasuredAfter);
        Assert.Equal(Enumerable.Range(0, 12), stream.Experiences.Select(e => e.Index));
        Assert.Equal([7, 7, 7, 7, 7, 7, 7, 7, 4, 7, 7, 6], stream.Experiences.Select(e => e.Train.Count));
        Assert.Equal(1, stream.Experiences[9].TaskId);
        var passed = stream.Experiences.Take(9).SelectMany(e => Bytes(e.Train).Chunk(784).Select(Convert.ToHexString));
        var whole = Bytes(SubsetSource.WithLabels(s_train, ["0", "1", "2"])).Chunk(784).Select(Convert.ToHexString);
        Assert.Equal(whole.Order(), passed.Order());
    }

    [Fact]
    public void Blurry_streams_leak_the_stated_share_of_each_class_evenly()
    {
        var stream = ExperienceStream.Blurry(s_train, s_test, s_pairs, blur: 0.2, seed: 3);
        Assert.Equal(200, stream.Experiences.Sum(e => e.Train.Count));
        for (var g = 0; g < 5; g++)
            foreach (var label in s_pairs[g])
                Assert.Equal(
                    Enumerable.Range(0, 5).Select(i => i == g ? 16 : 1),
                    stream.Experiences.Select(e => CountOf(e.Train, label)));
        var half = ExperienceStream.Blurry(s_train, s_test, s_pairs, blur: 0.2, seed: 3, disjoint: 0.5);
        Assert.Equal(5, Label.Numbers(0, 10).Count(label => half.Experiences.Count(e => CountOf(e.Train, label) > 0) == 1));
    }

    [Fact]
    public void Repeated_classes_share_out_their_samples_and_none_comes_twice()
    {
        var stream = ExperienceStream.WithRepetition(s_train, s_test, count: 20, classes: 3, seed: 4);
        Assert.All(stream.Experiences, e => Assert.Equal(3, e.Classes.Count));
        Assert.Equal(200, stream.Experiences.Sum(e => e.Train.Count));
        foreach (var label in Label.Numbers(0, 10))
            Assert.Equal(6, stream.Experiences.Count(e => e.Classes.Contains(label)));
        var other = ExperienceStream.WithRepetition(s_train, s_test, count: 20, classes: 3, seed: 5);
        Assert.NotEqual(stream.Experiences.Select(e => e.Name), other.Experiences.Select(e => e.Name));
    }

    [Fact]
    public void Validation_samples_are_a_stratified_share_that_training_does_not_see()
    {
        var stream = ExperienceStream.ClassIncremental(s_train, s_test, s_pairs).WithValidation(0.25, seed: 9);
        foreach (var experience in stream.Experiences)
        {
            Assert.All(experience.Classes, label => Assert.Equal(15, CountOf(experience.Train, label)));
            Assert.All(experience.Classes, label => Assert.Equal(5, CountOf(experience.Validation!, label)));
        }
        var (train, aside) = (Bytes(stream.Experiences[0].Train), Bytes(stream.Experiences[0].Validation!));
        Assert.Empty(train.Chunk(784).Select(Convert.ToHexString).Intersect(aside.Chunk(784).Select(Convert.ToHexString)));
        Assert.Equal(aside, Bytes(stream.Experiences[0].Validation!));
    }

    [Fact]
    public void Validation_samples_come_with_the_last_piece_of_their_experience_and_with_the_whole_stream_at_once()
    {
        var split = ExperienceStream.TaskIncremental(s_train, s_test, s_pairs).WithValidation(0.25, seed: 9);
        var pieces = split.Online(7, seed: 1);
        Assert.Equal(pieces.MeasuredAfter, pieces.Experiences.Where(e => e.Validation is not null).Select(e => e.Index));
        Assert.Equal(Bytes(split.Experiences[1].Validation!), Bytes(pieces.Experiences[pieces.MeasuredAfter[1]].Validation!));

        var all = split.AtOnce().Experiences.Single();
        Assert.Equal(all.Train.LabelTasks, all.Validation!.LabelTasks);
        Assert.Equal(split.Experiences.SelectMany(e => Bytes(e.Validation!)), Bytes(all.Validation));
        Assert.Null(ExperienceStream.TaskIncremental(s_train, s_test, s_pairs).AtOnce().Experiences.Single().Validation);
    }

    [Fact]
    public void A_piece_is_learnt_with_validation_samples_of_classes_that_came_before_it()
    {
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { Scenario = Scenario.TaskIncremental });
        var pieces = ExperienceStream.TaskIncremental(s_train, s_test, s_pairs).WithValidation(0.25, seed: 9).Online(1, seed: 1);
        foreach (var piece in pieces.Experiences.Take(pieces.MeasuredAfter[1] + 1)) learner.Teach(piece);
        var stranger = new Experience(10_000, SubsetSource.WithLabels(s_train, ["2"]), 1, SubsetSource.WithLabels(s_train, ["2", "9"]));
        Assert.Contains("validation: labels 9, expected only those of training, now or before",
            Assert.Throws<ArgumentException>(() => learner.Teach(stranger)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_of_one_sample_stays_in_training()
    {
        using var scope = NewDisposeScope();
        var source = TensorSource.OfClasses(zeros(4, 2), [0, 0, 0, 1], ["many", "one"]);
        var (kept, aside) = StratifiedSplit.Of(source, 0.9, new SeededRandom(0, "test"));
        Assert.Equal((1, 1, 2), (CountOf(kept, "many"), CountOf(kept, "one"), CountOf(aside, "many")));
    }

    [Fact]
    public void Groups_can_be_unequal_and_shuffled_by_seed()
    {
        var groups = ClassGroups.Split(Label.Numbers(0, 10), [5, 3, 2], seed: 1);
        Assert.Equal([5, 3, 2], groups.Select(group => group.Length));
        Assert.Equal(Label.Numbers(0, 10), groups.SelectMany(group => group).Order());
        Assert.NotEqual(
            groups.SelectMany(group => group), ClassGroups.Split(Label.Numbers(0, 10), [5, 3, 2], seed: 2).SelectMany(g => g));
        Assert.Contains("sum 10", Assert.Throws<ArgumentException>(() => ClassGroups.Split(Label.Numbers(0, 10), [5, 3])).Message);
    }

    [Fact]
    public void Values_out_of_range_are_refused_by_name()
    {
        Assert.Contains("blur: 2", Assert.Throws<ArgumentException>(
            () => ExperienceStream.Blurry(s_train, s_test, s_pairs, 2, 0)).Message);
        Assert.Contains("expected equal sizes", Assert.Throws<ArgumentException>(
            () => ExperienceStream.DomainIncremental(s_train, s_test, [["1", "2"], ["3"]])).Message);
        Assert.Contains("classes: 11", Assert.Throws<ArgumentException>(
            () => ExperienceStream.WithRepetition(s_train, s_test, 5, 11, 0)).Message);
        Assert.Contains("fraction: 1", Assert.Throws<ArgumentException>(
            () => StratifiedSplit.Of(s_train, 1, new SeededRandom(0, "x"))).Message);
    }

    [Fact]
    public void A_label_is_the_text_of_a_value_of_any_type_whatever_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var commas = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        commas.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = commas;
        try
        {
            Assert.Equal(["0.5", "12345678901", "Friday", "5"],
                new[] { Label.Of(0.5), Label.Of(12_345_678_901), Label.Of(DayOfWeek.Friday), 5 }.Select(label => label.Name));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        Assert.Equal((Label)5, (Label)"5");
        Assert.Equal((Label)5, Label.Of(5L));
    }

    private static int CountOf(ISampleSource source, Label label)
    {
        var code = source.Labels.ToList().IndexOf(label);
        return source.Codes.ToArray().Count(c => c == code);
    }
}
