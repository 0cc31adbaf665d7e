using System.Reflection;
using System.Runtime.CompilerServices;
using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Tests.Evaluation;

/// <summary>Test data never chooses anything: from the loader on they are of a type that nothing learns from or tunes with.</summary>
public class EvaluationSetTests
{
    private const BindingFlags Visible = BindingFlags.Public | BindingFlags.Instance;
    private const BindingFlags Held = Visible | BindingFlags.NonPublic;

    private static readonly Type[] s_library = typeof(EvaluationSet).Assembly.GetExportedTypes();
    private static readonly Type[] s_learnable = [typeof(ISampleSource), typeof(Experience), typeof(TuningData)];

    // They hold training samples beside the test samples.
    private static readonly Type[] s_pairs = [typeof(Mnist), typeof(Cifar), typeof(TrainAndTest), typeof(Domain), typeof(ExperienceStream)];

    [Theory]
    [InlineData("Engram.Learning", typeof(Experience))]
    [InlineData("Engram.Retention", typeof(LearningContext))]
    [InlineData("Engram.Evaluation.Tuning", typeof(Experience))]
    public void Nothing_that_learns_or_tunes_takes_test_samples(string part, Type passed)
    {
        var taken = Taken(s_library.Where(type => $"{type.Namespace}.".StartsWith(part + ".", StringComparison.Ordinal)));
        Assert.Contains(passed, taken); // the walk goes where it should
        Assert.Contains(typeof(LearnerOptions), taken);
        Assert.DoesNotContain(typeof(EvaluationSet), taken);
        Assert.DoesNotContain(typeof(ExperienceStream), taken);
    }

    [Fact]
    public void Nothing_makes_test_samples_into_something_to_learn()
    {
        Assert.False(typeof(EvaluationSet).IsAssignableTo(typeof(ISampleSource)));
        Assert.Contains(s_library.SelectMany(Members), member => TakesASet(member));
        Assert.Empty(Doors(s_library));
    }

    [Fact]
    public void What_is_called_test_samples_is_an_evaluation_set()
    {
        Type[] halves =
        [
            .. new[] { typeof(Mnist), typeof(Cifar), typeof(TrainAndTest), typeof(Domain) }.Select(pair => pair.GetProperty("Test")!.PropertyType),
            typeof(Core50).GetMethod("Test")!.ReturnType,
        ];
        Assert.All(halves, half => Assert.Equal(typeof(EvaluationSet), half));
        Assert.Empty(SourcesCalledTest(s_library));
    }

    [Fact]
    public void Only_tests_see_the_samples_of_a_set() => Assert.All(
        typeof(EvaluationSet).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>(),
        friend => Assert.Matches("^Engram\\.(.*Tests|Conformance)$", friend.AssemblyName));

    [Fact]
    public void A_member_that_lets_test_samples_out_is_found()
    {
        Assert.Contains(typeof(EvaluationSet), Taken([typeof(Leaks)]));
        Assert.Equal([".ctor", "AsSource", "Experiences", "Out"], Doors([typeof(Leaks)]).Select(door => door.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["Tests", "test"], SourcesCalledTest([typeof(Leaks)]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_stream_lets_a_test_sample_be_learnt()
    {
        var train = SubsetSource.Balanced(TestData.Mnist.Train, 6);
        var test = new EvaluationSet("test", new OutOfReach(train));
        var groups = ClassGroups.Split(Label.Numbers(0, 10), 5);
        ExperienceStream[] streams =
        [
            ExperienceStream.ClassIncremental(train, test, groups), ExperienceStream.TaskIncremental(train, test, groups),
            ExperienceStream.DomainIncremental(train, test, groups), ExperienceStream.Permuted(train, test, 2, seed: 0),
            ExperienceStream.Rotated(train, test, [0, 30]), ExperienceStream.Blurry(train, test, groups, blur: 0.5, seed: 0),
            ExperienceStream.WithRepetition(train, test, count: 5, classes: 4, seed: 0), ExperienceStream.FromDomains([new("one", train, test)]),
        ];
        foreach (var stream in streams.SelectMany(made => new[] { made.WithValidation(0.4, seed: 0), made.Online(7, seed: 0), made.AtOnce() }))
            foreach (var experience in stream.Experiences)
            {
                Read(experience.Train);
                if (experience.Validation is { } aside) Read(aside);
            }
        Assert.Throws<InvalidOperationException>(() => Read(streams[^1].Tests[0].Samples));
    }

    [Fact]
    public void Parts_of_a_set_keep_its_name_and_task_and_their_inputs_can_be_looked_at()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var set = new EvaluationSet("digits", TestData.Mnist.Test.Samples, taskId: 3);
        var part = set.WithLabels([4, 7]).Balanced(5);
        Assert.Equal(("digits", 3, 10), (part.Name, part.TaskId, part.Count));
        Assert.Equal(["4", "7"], part.Classes.Select(label => label.Name));
        var expected = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Test.Samples, [4, 7]), 5).Gather([9, 0]).Inputs;
        Assert.True(expected.Equals(part.Inputs([9, 0])));
        Assert.Throws<ArgumentNullException>(() => new EvaluationSet("none", null!));
    }

    private static IEnumerable<MethodBase> Members(Type type) => type.GetMethods(Held | BindingFlags.Static | BindingFlags.DeclaredOnly).Cast<MethodBase>()
        .Concat(type.GetConstructors(Held)).Where(member => member.IsPublic || member.IsFamily || member.IsFamilyOrAssembly);

    /// <summary>All that a caller hands to the types, and all that this holds, to its private fields.</summary>
    private static HashSet<Type> Taken(IEnumerable<Type> types)
    {
        var reached = new HashSet<Type>();
        foreach (var parameter in types.SelectMany(Members).SelectMany(member => member.GetParameters())) Reach(parameter.ParameterType, Held, reached);
        return reached;
    }

    /// <summary>Members that take an evaluation set and give something that shows what can be learnt.</summary>
    private static MethodBase[] Doors(IEnumerable<Type> types) => [.. types.SelectMany(Members).Where(TakesASet).Where(member => Given(member).Any(type =>
    {
        var reached = new HashSet<Type>();
        if (!s_pairs.Contains(type)) Reach(type, Visible, reached);
        return reached.Any(IsLearnable);
    }))];

    private static string[] SourcesCalledTest(IEnumerable<Type> types) =>
    [
        .. types.SelectMany(Members).SelectMany(member => member.GetParameters()).Select(parameter => (Name: parameter.Name, Type: parameter.ParameterType))
            .Concat(types.SelectMany(type => type.GetProperties()).Select(property => (Name: (string?)property.Name, Type: property.PropertyType)))
            .Concat(types.SelectMany(type => type.GetMethods()).Select(method => (Name: (string?)method.Name, Type: method.ReturnType)))
            .Where(named => named.Name?.StartsWith("test", StringComparison.OrdinalIgnoreCase) == true && Parts(named.Type).Any(IsLearnable))
            .Select(named => named.Name!),
    ];

    private static bool TakesASet(MethodBase member) =>
        (member.DeclaringType == typeof(EvaluationSet) && member is { IsStatic: false, IsConstructor: false })
        || member.GetParameters().Any(parameter => !parameter.IsOut && Parts(parameter.ParameterType).Contains(typeof(EvaluationSet)));

    private static IEnumerable<Type> Given(MethodBase member) => member.GetParameters()
        .Where(parameter => parameter.ParameterType.IsByRef).Select(parameter => parameter.ParameterType.GetElementType()!)
        .Append(member is MethodInfo method ? method.ReturnType : member.DeclaringType!);

    private static bool IsLearnable(Type type) => s_learnable.Any(type.IsAssignableTo);

    private static IEnumerable<Type> Parts(Type type) => [type, .. Inner(type).SelectMany(Parts)];

    private static Type[] Inner(Type type) => type.IsGenericType ? type.GetGenericArguments() : type.HasElementType ? [type.GetElementType()!] : [];

    private static void Reach(Type type, BindingFlags how, HashSet<Type> reached)
    {
        foreach (var part in Inner(type)) Reach(part, how, reached);
        if (type.Namespace?.StartsWith("Engram", StringComparison.Ordinal) != true || !reached.Add(type)) return;
        if (type.BaseType is { } parent) Reach(parent, how, reached);
        foreach (var property in type.GetProperties(how)) Reach(property.PropertyType, how, reached);
        foreach (var field in type.GetFields(how)) Reach(field.FieldType, how, reached);
    }

    private static void Read(ISampleSource source)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]);
    }

    private sealed class Leaks(EvaluationSet set)
    {
        public ISampleSource[] Tests => [set.Samples];
        public static ISampleSource AsSource(EvaluationSet set) => set.Samples;
        public static IReadOnlyList<Experience> Experiences(IReadOnlyList<EvaluationSet> sets) => [new(0, sets[0].Samples)];
        public static void Out(EvaluationSet set, out ISampleSource samples) => samples = set.Samples;
        public static int Ask(ISampleSource test) => test.Count;
        public static int Fine(EvaluationSet set) => set.Count;
    }

    /// <summary>Test samples that must not be read.</summary>
    internal sealed class OutOfReach(ISampleSource shape) : ISampleSource
    {
        public int Count => shape.Count;
        public IReadOnlyList<long> InputShape => shape.InputShape;
        public TorchSharp.torch.ScalarType InputType => shape.InputType;
        public TargetKind TargetKind => shape.TargetKind;
        public IReadOnlyList<Label> Labels => shape.Labels;
        public ReadOnlyMemory<int> Codes => shape.Codes;
        public Batch Gather(ReadOnlySpan<long> indices) => throw new InvalidOperationException("a test sample was read");
    }
}
