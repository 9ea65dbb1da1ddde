//! What users' templates do, and what API Gateway makes of it: the rules of rest-mapping-templates as examples. The idioms
//! are those of public definitions; where nothing was recorded, the answers are Velocity 1.7's.

use ringgate_core::mapping::template::Sample;

use crate::templates::render;

/// Template, body, text.
type Row = (&'static str, &'static str, &'static str);

fn sample() -> Sample {
    Sample {
        path: vec![("id".into(), "7".into())],
        query: "q=x+y&id=Q".into(),
        headers: HEADERS.map(|(name, value)| (name.into(), value.into())).into(),
        context: CONTEXT.map(|(name, value)| (name.into(), value.into())).into(),
        stage_variables: vec![("a".into(), "va".into()), ("b-c".into(), "vbc".into())],
        ..Sample::default()
    }
}

const HEADERS: [(&str, &str); 4] =
    [("X-H", "hv"), ("id", "H"), ("Authorization", "Bearer tok"), ("Range", "bytes=0-99")];

const CONTEXT: [(&str, &str); 14] = [
    ("stage", "prod"),
    ("requestId", "rid"),
    ("requestTimeEpoch", "1700000000123"),
    ("httpMethod", "POST"),
    ("resourcePath", "/x"),
    ("domainName", "api.x.com"),
    ("apiId", "abc"),
    ("identity.sourceIp", "1.2.3.4"),
    ("identity.userAgent", "ua"),
    ("authorizer.principalId", "p"),
    ("authorizer.tenant", "t"),
    ("authorizer.claims.sub", "s1"),
    ("authorizer.claims.email", "e@x"),
    ("isCanaryRequest", "false"),
];

fn check(rows: &[Row]) {
    for (template, body, expected) in rows {
        let made = render(template, &Sample { body: (*body).into(), ..sample() });
        assert_eq!(made, *expected, "{template} of {body}");
    }
}

#[test]
fn parameters_context_and_stage_variables_are_read() {
    check(OF_THE_REQUEST);
}

#[test]
fn loops_macros_and_blocks_run() {
    check(OF_LOOPS_AND_BLOCKS);
}

#[test]
fn texts_numbers_lists_and_maps_compute() {
    check(OF_VALUES);
}

#[test]
fn functions_of_util_convert_texts() {
    check(OF_UTIL);
}

#[test]
fn conditions_hold_as_in_velocity() {
    check(OF_TRUTH);
}

#[test]
fn documents_are_navigated_and_changed() {
    check(OF_DOCUMENTS);
}

const OF_THE_REQUEST: &[Row] = &[
    (
        "$context.authorizer.claims.sub|$context.authorizer.claims['email']|$context.authorizer.claims.get('sub')|$context.authorizer.claims|",
        "",
        "s1|e@x|s1||",
    ),
    ("$context.authorizer['principalId'] ${context.authorizer.tenant}", "", "p t"),
    ("$context['stage'] $context.get('identity').sourceIp $context.identity['userAgent']", "", "prod 1.2.3.4 ua"),
    ("#set($c=$context.authorizer)$c.tenant $c.claims.sub", "", "t s1"),
    ("#set($c=$context)$c.stage $c.identity.sourceIp", "", "prod 1.2.3.4"),
    ("$context.nothing|$context.identity.nothing|$context.identity.user|", "", "|||"),
    ("$context.identity|$context|$context.requestOverride", "", "||"),
    (
        "$input.params('id') $input.params('q') $input.params('X-H') $input.params().header.X-H $input.params().header.get('x-h')|",
        "",
        "7 x y hv hv |",
    ),
    ("$input.params('x-h')|$input.params().querystring.q|$input.params().querystring['id']", "", "|x y|Q"),
    (r#"$input.params("id")#set($n="q")$input.params($n)"#, "", "7x y"),
    (
        "$input.params()",
        "",
        "{path={id=7}, querystring={q=x y, id=Q}, header={X-H=hv, id=H, Authorization=Bearer tok, Range=bytes=0-99}}",
    ),
    ("$input.params().get('querystring').keySet()", "", "[q, id]"),
    (
        "#foreach($p in $input.params().header.entrySet())$p.key=$p.value;#end",
        "",
        "X-H=hv;id=H;Authorization=Bearer tok;Range=bytes=0-99;",
    ),
    ("#foreach($v in $input.params().header)$v;#end", "", "hv;H;Bearer tok;bytes=0-99;"),
    ("#foreach($v in $input.params().header.values())$v;#end", "", "hv;H;Bearer tok;bytes=0-99;"),
    (
        "$input.params().header.containsKey('X-H') $input.params().path.size() $input.params().querystring.isEmpty()",
        "",
        "true 1 false",
    ),
    (
        r#"#if($input.params('nope')=="")E#{else}F#end#if($input.params('nope') && $input.params('nope')!='')A#{else}B#end"#,
        "",
        "EB",
    ),
    ("$input.params('nope').length() $input.params().header.nope.length()|", "", "0 |"),
    (
        "$stageVariables.a ${stageVariables['b-c']} $stageVariables.b-c $stageVariables.get('a') ${stageVariables.zz}|",
        "",
        "va vbc vbc va |",
    ),
    ("#if($input.params('x')!='')1#{else}0#end", "", "0"),
    ("#set($v=$input.params('x'))#if($v && $v.length()!=0)1#{else}0#end", "", "0"),
    ("#set($t=$context.requestTimeEpoch)#set($s=$t/1000)$s|$t.substring(0,2)", "", "1700000000|"),
    ("$context.requestTimeEpoch.length()", "", ""),
    ("#set($ttl = $context.requestTimeEpoch / 1000 + 86400)$ttl", "", "1700086400"),
    ("#set($at = ($context.requestTimeEpoch / 1000) + 9000)$at", "", "1700009000"),
    (
        "#set($body = $util.parseJson($input.body))\n\n#set($now = $context.requestTimeEpoch / 1000)\n#set($e = $now + 300)\n{\"a\":\"$body.a\",\"e\":$e}",
        r#"{"a":1}"#,
        "\n{\"a\":\"1\",\"e\":1700000300}",
    ),
    (
        r#"#set($k = "p" + "/" + $input.path('$.t') + "_" + $context.requestTimeEpoch + ".json")$k"#,
        r#"{"t":"x"}"#,
        "p/x_1700000000123.json",
    ),
    (
        "https://$context.domainName/$context.stage/$context.requestId?x=$input.params('q')",
        "",
        "https://api.x.com/prod/rid?x=x y",
    ),
    (
        "$input.params().header.get('Authorization').substring(7)|$input.params('Authorization').split(' ')[1]|$input.params('Authorization').replace('Bearer ','')",
        "",
        "tok|tok|tok",
    ),
    (
        r#"#set($Integer = 0)#set($r=$input.params('Range').replace('bytes=','').split("-"))#set($n=$Integer.parseInt($r[1])+1)$r[0] $n"#,
        "",
        "0 100",
    ),
    (r#"#set($tok="$input.params('Authorization')")#if($tok.startsWith('Bearer '))B#end"#, "", "B"),
    (
        r##""querystring" : "#foreach($key in $input.params().querystring.keySet())#if($foreach.index > 0)&#end$util.urlEncode($key)=$util.urlEncode($input.params().querystring.get($key))#end""##,
        "",
        r#""querystring" : "q=x+y&id=Q""#,
    ),
    ("${input.params('q')}|$!{input.params('q')}|${context.stage}x|$!context.requestId.", "", "x y|x y|prodx|rid."),
    (r#"$util.base64Encode("$input.params('q') and $context.stage")"#, "", "eCB5IGFuZCBwcm9k"),
];

const OF_LOOPS_AND_BLOCKS: &[Row] = &[
    ("#set($s='a,b,,c,')$s.split(',').size() #foreach($x in $s.split(','))[$x]#end", "", "4 [a][b][][c]"),
    ("#set($s='abc')#foreach($c in $s.toCharArray())$c;#end", "", "a;b;c;"),
    (
        "#foreach($i in [1..3])$i$foreach.index$foreach.count$foreach.hasNext$foreach.first$foreach.last;#end",
        "",
        "101truetruefalse;212truefalsefalse;323falsefalsetrue;",
    ),
    ("#foreach($i in [3..1])$i$velocityCount#if($velocityHasNext),#end#end", "", "31,22,13"),
    (
        "#foreach($i in ['a','b'])#foreach($j in [1,2])$i$j$foreach.parent.index$foreach.topmost.count #end#end",
        "",
        "a101 a201 b112 b212 ",
    ),
    ("#foreach($i in [1..5])#if($i==3)#break#end$i#end|$i", "", "12|"),
    (
        "#foreach($k in $input.path('$').keySet())$k=$input.path('$').get($k)#if($foreach.hasNext),#end#end",
        r#"{"a":1,"b":{"c":2}}"#,
        "a=1,b={c=2}",
    ),
    (
        "#foreach($e in $input.path('$').entrySet())$e.key=$e.value;$e.getKey()$e.getValue();#end",
        r#"{"a":1}"#,
        "a=1;a1;",
    ),
    (
        "#foreach($e in $input.path('$.l'))$e.x#end|#foreach($e in $input.path('$.none'))$e#end|",
        r#"{"l":[{"x":1},{"x":2}]}"#,
        "12||",
    ),
    ("#foreach($e in $input.path('$.m'))$e;#end", r#"{"m":{"x":1,"y":2}}"#, "1;2;"),
    ("#foreach($e in $input.path('$.s'))$e;#end|", r#"{"s":"text"}"#, "|"),
    ("#foreach($i in [])x#end|#stop|y", "", "|"),
    ("#foreach($k in $util.parseJson($input.body).keySet())$k,#end", r#"{"a":1,"b":2}"#, "a,b,"),
    (
        r##"#set($l=$input.path('$.l'))#foreach($e in $l)"$e"#if($foreach.hasNext),#end#end"##,
        r#"{"l":["a","b"]}"#,
        r#""a","b""#,
    ),
    (
        r##"#set($m=$input.path('$.m'))#foreach($k in $m.keySet())"$k":"$m.get($k)"#if($foreach.hasNext),#end#end"##,
        r#"{"m":{"a":1,"b":null}}"#,
        r#""a":"1","b":"""#,
    ),
    (r#"#set($s='')#foreach($i in [1..3])#set($s="$s$i")#end$s"#, "", "123"),
    ("#define($b)[$x]#end#set($x=1)$b#set($x=2)$b", "", "[1][2]"),
    ("#macro(m $a $b)<$a-$b>#end#m(1 'z')#m($u 2)", "", "<z><2>"),
    ("#macro(w)[$!bodyContent]#end#@w()in#end", "", "[in]"),
    (
        "#set($v=$input.path('$.m').values())#foreach($x in $v)$x;#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1;;false;1.5;x;",
    ),
    (
        "#foreach($e in $input.path('$.m').entrySet())$e.key=$e.value;#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "a=1;b=;c=false;d=1.5;e=x;",
    ),
    (
        "#set($m=$input.path('$.m'))#set($m.z=9)#foreach($k in $m.keySet())$k=$m[$k];#end$m",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "a=1;b=;c=false;d=1.5;e=x;z=9;{a=1, b=null, c=false, d=1.5, e=x, z=9}",
    ),
    (
        "#set($it=$input.path('$.l').iterator())#foreach($x in $it)$x;#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1;true;;2.50;s;[3];{k=4};",
    ),
    (
        "#macro(p $v)<$v>#end#p($input.path('$.l[0]'))#p($input.path('$.m'))",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "<1><{a=1, b=null, c=false, d=1.5, e=x}>",
    ),
    (
        "#foreach($x in $input.path('$.l[*]'))$x,#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1,true,,2.50,s,[3],{k=4},",
    ),
    (
        "#foreach($x in $input.path('$.m.*'))$x,#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1,,false,1.5,x,",
    ),
    (
        "#set($list = $input.path('$..var1[1]').keySet()) #foreach($e in $list)$e#end",
        r#"{"var1":[{"a":1},{"b":2}]}"#,
        " ",
    ),
    (
        r#"#set($l=$input.path('$.Items'))[#foreach($i in $l){"id":"$i.id.S","n":$i.n.N}#if($foreach.hasNext),#end#end]"#,
        r#"{"Items":[{"id":{"S":"a"},"n":{"N":"1"}},{"id":{"S":"b"},"n":{"N":"2"}}]}"#,
        r#"[{"id":"a","n":1},{"id":"b","n":2}]"#,
    ),
    (
        "#set($end = $input.path('$.l').size() - 1)#foreach($i in [0..$end])$input.path('$.l').get($i)#end",
        r#"{"l":["a","b","c"]}"#,
        "abc",
    ),
    ("#foreach($i in [1..$input.path('$.l').size()])$i#end", r#"{"l":["a","b","c"]}"#, "123"),
    (
        "#foreach($n in $input.path('$.a'))#foreach($m in $n.b)$foreach.parent.count.$foreach.count:$m;#end#end",
        r#"{"a":[{"b":["x","y"]},{"b":["z"]}]}"#,
        "1.1:x;1.2:y;2.1:z;",
    ),
    (
        "#set($map = $input.path('$.m'))#foreach($key in $map.keySet())#set($v = $map.get($key))#if($v != '')$key=$v#if($foreach.hasNext)&#end#end#end",
        r#"{"m":{"a":1,"b":"","c":3}}"#,
        "a=1&c=3",
    ),
];

const OF_VALUES: &[Row] = &[
    (
        r#"#set($s='a.b.c')$s.split('\.')[1] $s.split("\.").get(2) $s.substring(2) $s.substring(0,1) $s.indexOf('b') $s.lastIndexOf('.')"#,
        "",
        "b c b.c a 2 3",
    ),
    (
        "#set($s='Hello World')$s.toLowerCase() $s.toUpperCase() $s.replace('o','0') $s.replaceAll('[aeiou]','*') $s.replaceFirst('l','L') $s.contains('World') $s.startsWith('He') $s.endsWith('d') $s.length() $s.charAt(0) $s.matches('H.*') $s.isEmpty() $s.concat('!') $s.equals('x') $s.equalsIgnoreCase('hello world')",
        "",
        "hello world HELLO WORLD Hell0 W0rld H*ll* W*rld HeLlo World true true true 11 H true false Hello World! false true",
    ),
    ("#set($s='  t ')[$s.trim()]", "", "[t]"),
    ("#set($s='a-b')$s.replaceAll('(a)-(b)','$2-$1')", "", "b-a"),
    ("#set($s='%s-%d')$s.format('%s-%03d','x',7) $s.valueOf(5) $s.format('%.2f',1.5)", "", "x-007 5 1.50"),
    (r#"#set($q='"')$q"#, "", r#"""#),
    (r#"#set($q="'")$q"#, "", "'"),
    (r#"#set($x = "a""b")$x#set($y='it''s')$y"#, "", r#"a"bit's"#),
    (
        "#set($a=7/2)$a #set($b=7%3)$b #set($c=-7/2)$c #set($d=7.0/2)$d #set($e=2147483647+1)$e #set($f=9223372036854775807+1)$f",
        "",
        "31-33.521474836489223372036854775808",
    ),
    ("#set($i='5')#set($j=$i+1)$j #set($k=1+'a')$k", "", "511a"),
    ("#set($x=1/0)[$x]", "", "[]"),
    ("#set($i=0)$i.parseInt('12') #set($n=$i.parseInt('12')+3)$n $i.MAX_VALUE|", "", "1215 |"),
    ("#set($d=0.0)$d.parseDouble('1.5') #set($l=2147483648)$l.parseLong('123')", "", "1.5123"),
    ("#set($n=5)$n.toString().length() $n.intValue() $n.doubleValue()", "", "1 5 5.0"),
    (
        "#set($m={})#set($m.a=1)#set($m['b']='x')#set($k='c')#set($m[$k]=[1,2])$!m.put('d',{'e':true})$m",
        "",
        "{a=1, b=x, c=[1, 2], d={e=true}}",
    ),
    (r#"#set($m={"a":1,'b':$u})$m.size() $m"#, "", "2 {a=1, b=}"),
    (
        "#set($l=[])#set($_=$l.add('x'))$l.add('y')$l.size()$l[1]$l.get(0)$l.contains('x')$l.indexOf('y')",
        "",
        "true2yxtrue1",
    ),
    ("#set($l=['a','b'])#set($l[0]='z')$l", "", "[z, b]"),
    ("#set($s='x')#set($s=$s+'y'+1)$s", "", "xy1"),
    ("a ## c\nb#* x *#c", "", "a bc"),
    (r#"\$x|$|$1|#foo|#|100%"#, "", "$x|$|$1|#foo|#|100%"),
    ("  \n{\"a\":1}\n  ", "", r#"{"a":1}"#),
    ("#set($h={'k':{'n':[1,{'z':'deep'}]}})$h.k.n[1].z $h['k']['n'].get(0)", "", "deep 1"),
    (
        "#set($e='x@y.z')$e.split('@')[0]|$e.split('@').get(1)|$e.indexOf('@')|$e.substring($e.indexOf('@'))",
        "",
        "x|y.z|1|@y.z",
    ),
    ("#set($d='2024-01-02T03:04:05Z')$d.substring(0,10).replace('-','/')", "", "2024/01/02"),
    (
        "#set($c={})#set ($c.Map={'GBPUSD':1.378615,'GBPEUR':1.163627})#set($k='GBPEUR')$c.Map.get($k)|$c.Map[$k]|$c.Map.GBPUSD",
        "",
        "1.163627|1.163627|1.378615",
    ),
    ("#set($D = '$')${D}util $D.x", "", "$util "),
    ("#set($a = 10)#set($b = 4)#set($c = $a % $b)#set($d = $a / $b * 1.0)$c|$d", "", "2|2.0"),
    (r#"#set($s = 'a|b|c')#set($p = $s.split('\|'))$p.size()$p[2]"#, "", "3c"),
    (
        "#set($a = [1,2,3])$a.contains(2)|$a.indexOf(3)|$a.subList(0,2)|$a.isEmpty()|$a.get(0)",
        "",
        "true|2|[1, 2]|false|1",
    ),
    ("## c1\n#* c2\n *#{\"a\":1}", "", r#"{"a":1}"#),
];

const OF_UTIL: &[Row] = &[
    (r#"$util.escapeJavaScript("it's").replaceAll("\\'","'")"#, "", "it's"),
    ("$util.escapeJavaScript($input.path('$.s'))", r#"{"s":"a\"b'c\\d\né/"}"#, r#"a\"b\'c\\d\n\u00E9/"#),
    (r#""$util.escapeJavaScript($input.json('$'))""#, r#"{"a":"x\"y"}"#, r#""{\"a\":\"x\\\"y\"}""#),
    ("$util.escapeJavaScript($undefined)|$util.escapeJavaScript($input.path('$.n'))|", r#"{"n":null}"#, "||"),
    ("$util.escapeJavaScript($input.path('$'))", r#"{"a":1}"#, "{a=1}"),
    ("$util.escapeJavaScript(5)$util.escapeJavaScript(true)", "", "5true"),
    ("$util.escapeJavaScript($input.body)", r#"{"a": 1}"#, r#"{\"a\": 1}"#),
    ("#set($o=$util.parseJson($input.body))$o.a.b[0].c", r#"{"a":{"b":[{"c":9}]}}"#, "9"),
    ("#set($o=$util.parseJson($input.json('$.a')))$o.b", r#"{"a":{"b":1}}"#, "1"),
    ("#set($o=$util.parseJson($util.parseJson($input.body).s))$o.x", r#"{"s":"{\"x\":7}"}"#, "7"),
    (r#"$util.parseJson('[1,2]')[1]|$util.parseJson('[1,2]')|$util.parseJson('{"a":[1]}')"#, "", "2|[1,2]|{a=[1]}"),
    (
        r#"$util.parseJson('nope')|$util.parseJson('')|$util.parseJson('5')|$util.parseJson('"x"')|$util.parseJson($u)|"#,
        "",
        "|||x||",
    ),
    (
        "$util.urlEncode('a b&c=d/é+~*')|$util.urlDecode('a+b%26c%3Dd')|$util.urlEncode($u)|",
        "",
        "a+b%26c%3Dd%2F%C3%A9%2B%7E*|a b&c=d||",
    ),
    (
        "$util.base64Encode('héllo')|$util.base64Decode('aMOpbGxv')|$util.base64Encode($input.json('$.D'))",
        r#"{"D":"x"}"#,
        "aMOpbGxv|héllo|Ingi",
    ),
    ("$util.toJson($input.body)|$util.time|$utils.x|", "{}", "|||"),
    (
        "#set($l=$util.parseJson($input.json('$.l')))$l[0]|$l[1]|$l[3]|#set($_=$l.add(5))$l",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        r#"1|true|2.50|[1,true,null,2.50,"s",[3],{"k":4},5]"#,
    ),
    (
        "#set($j=$input.json('$.l'))$j.length() #set($p=$util.parseJson($j))$p.size()",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "347",
    ),
    (
        r#"$util.base64Encode($util.escapeJavaScript($input.json('$')).replace('\', ''))"#,
        r#"{"a":"x"}"#,
        "eyJhIjoieCJ9",
    ),
    (r#"$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")"#, r#"{"a":"it's"}"#, r#"{\"a\":\"it's\"}"#),
    ("#set($b=$util.parseJson($input.body))#set($r = $b.amt * 1.5)$r", r#"{"amt":10}"#, "15.0"),
    (
        r#"#set($errorMessageObj = $util.parseJson($input.path('$.errorMessage'))) {"m":"$errorMessageObj.message","t":"$errorMessageObj.type"}"#,
        r#"{"errorMessage":"{\"message\":\"no\",\"type\":\"C\"}"}"#,
        r#" {"m":"no","t":"C"}"#,
    ),
    ("$util.parseJson($input.path('$.errorMessage'))[1].content", r#"{"errorMessage":"[1,{\"content\":\"x\"}]"}"#, "x"),
];

const OF_TRUTH: &[Row] = &[
    (
        "#if(0)T#{else}F#end#if('')T#{else}F#end#if([])T#{else}F#end#if($u)T#{else}F#end#if(false)T#{else}F#end",
        "",
        "FFFTF",
    ),
    (r#"#if(!$u)T#{else}F#end #if($u && true)T#{else}F#end #if("$!u"!='')T#{else}F#end"#, "", "F T F"),
    ("#[[ $raw #if ]]#", "", " $raw #if "),
    ("#set($x = 1)\n#if($x==1)\nyes\n#else\nno\n#end\nend", "", "yes\nend"),
    ("#if ( $a == 1 ) x #elseif( true ) y #else z #end", "", " y "),
    ("#if(1 < 2 && 2 <= 2 && 3 > 2 && !(1 != 1))T#end", "", "T"),
    (r#"#set($x="a")#if($x=="a" && ($x=="b"||$x=="a"))T#end"#, "", "T"),
];

const OF_DOCUMENTS: &[Row] = &[
    (
        "#set($b=$input.path('$.b'))#if($b)T#{else}F#end#if($b==false)T#{else}F#end#if(!$b)T#{else}F#end",
        r#"{"b":false}"#,
        "FTT",
    ),
    (
        "#if($input.path('$.n')==0)T#{else}F#end#if($input.path('$.n')=='0')T#{else}F#end#if($input.path('$.n')>=0)T#{else}F#end",
        r#"{"n":0}"#,
        "TTT",
    ),
    (r#"#if($input.path('$.s')=='x' || $input.path('$.s')=="y")T#{else}F#end"#, r#"{"s":"y"}"#, "T"),
    ("#if($input.path('$.s') eq 'y' and 1 lt 2 or false)T#{else}F#end#if(not false)T#end", r#"{"s":"y"}"#, "TT"),
    (r#"#if($input.json('$.x') == '""')none#end"#, "{}", "none"),
    (r#"#if("$input.json('$.x')" == '""')none#end"#, "{}", "none"),
    ("#set($b=$input.path('$'))#set($b.new='v')#set($b.o.x=9)$b", r#"{"o":{"y":1}}"#, "{o={y=1, x=9}, new=v}"),
    (
        "$input.path('$.l').size() $input.path('$.l').isEmpty() $input.path('$.l').get(0) $input.path('$.l')[1] $input.path('$.l').contains('a')",
        r#"{"l":["a","b"]}"#,
        "2 false a b true",
    ),
    (
        "$input.path('$.o').size() $input.path('$.o').containsKey('x') $input.path('$.o').remove('x')$input.path('$.o').size()",
        r#"{"o":{"x":1}}"#,
        "1 true 10",
    ),
    (
        "$input.path('$')[0].a $input.path('$[0]').a $input.path('$[0].a') $input.path('$.[0].a')|",
        r#"[{"a":1}]"#,
        "1 1 1 1|",
    ),
    ("$input.body", "", "{}"),
    ("$input.json('$')|$input.path('$')", "", "{}|{}"),
    (
        "$input.json('$.a')$input.json('$.b')$input.json('$.c')",
        r#"{"a":"x","b":[1, {"z": null}],"c":false}"#,
        r#""x"[1,{"z":null}]false"#,
    ),
    ("$input.json('$.a.b')|$input.path('$.a.b')|", "[1]", r#"""||"#),
    ("$input.json('$')", r#"{"b":1,"a":{"d":2,"c":3}}"#, r#"{"b":1,"a":{"d":2,"c":3}}"#),
    ("$input.path('$')|", "not json", "|"),
    ("$input.path('$.x').size()|", "not json", "|"),
    ("$input.path('$')", r#""text""#, "text"),
    ("$input.path('$')+1", "5", "5+1"),
    (r#"$input.json("$['a-b']")"#, r#"{"a-b":1}"#, "1"),
    ("$input.path('$').a-b", r#"{"a-b":1}"#, "1"),
    ("$input.path('$.a-b')", r#"{"a-b":1}"#, "1"),
    (
        "#set($inputRoot=$input.path('$'))$inputRoot.none.deeper|${inputRoot.none}|$!inputRoot.none|",
        r#"{"a":1}"#,
        "|||",
    ),
    ("#set($r=$input.path('$'))#if($r.toString().contains('error'))E#end", r#"{"m":"an error"}"#, "E"),
    ("$input.path('$.a').toString().replace('x','y')", r#"{"a":"x"}"#, "y"),
    (r#"$input.path('$.a').replaceAll('"','')"#, r#"{"a":"\"q\""}"#, "q"),
    ("#set($l=$input.path('$.l'))$l.size()$l[0]$l[1].z", r#"{"l":["a",{"z":3}]}"#, "2a3"),
    ("$input.path('$.l[0]').z", r#"{"l":[{"z":1}]}"#, "1"),
    ("$input.path('$.l[*].z')[0]", r#"{"l":[{"z":1}]}"#, "1"),
    (
        r#"#if($input.path('$.b'))T#{else}F#end#if($input.path('$.b')==true)T#{else}F#end#if("$input.path('$.b')"=="true")T#{else}F#end"#,
        r#"{"b":true}"#,
        "TTT",
    ),
    ("#set($n=$input.path('$.n'))#set($m=$n+1)$m #if($n>1.5)G#end", r#"{"n":2}"#, "3 G"),
    ("#set($n=$input.path('$.n'))$n.toString() $n.intValue() #set($k=$n*2)$k", r#"{"n":2.5}"#, "2.5 25.0"),
    ("#set($i=$input.path('$.s'))#set($j=$i.parseInt($i))$j", r#"{"s":"12"}"#, ""),
    ("#set($Integer=0)#set($j=$Integer.parseInt($input.path('$.s'))+1)$j", r#"{"s":"12"}"#, "13"),
    ("$input.path('$.l').join(',')|$input.path('$.s').nope()|", r#"{"l":[1],"s":"x"}"#, "||"),
    ("$input.path('$.a').class|$input.path('$.a').getClass().forName('x')|", r#"{"a":"s"}"#, "||"),
    (
        "#set($l=$input.path('$.l'))#set($l[4]='z')$l|$l[0]|$l[1]|$l[3]|$l[6].k",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        r#"[1,true,null,2.50,"z",[3],{"k":4}]|1|true|2.50|4"#,
    ),
    (
        "#set($a=[])#set($_=$a.addAll($input.path('$.l')))$a[0]|$a[1]|$a[3]|$a.size()|$a",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1|true|2.50|7|[1, true, null, 2.50, s, [3], {k=4}]",
    ),
    (
        "#set($s=$input.path('$.l').subList(0,4))$s|$s[0]|$s[3]",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "[1,true,null,2.50]|1|2.50",
    ),
    (
        "#set($m={})#set($_=$m.putAll($input.path('$.m')))$m.a|$m.b|$m.c|$m.d|$m",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "1||false|1.5|{a=1, b=null, c=false, d=1.5, e=x}",
    ),
    (
        "#set($x=$input.path('$.m').get('a'))#set($y=$x+1)$y#if($input.path('$.m').get('c'))T#{else}F#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "2F",
    ),
    (
        "$input.path('$.l').contains(1)$input.path('$.l').contains('s')$input.path('$.l').indexOf(true)",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "truetrue1",
    ),
    (
        "#set($a=[$input.path('$.l[0]'),$input.path('$.l[3]'),$input.path('$.m.c')])$a|$a[0]|$a[2]",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "[1, 2.50, false]|1|false",
    ),
    (
        "#set($m={'x':$input.path('$.l[0]'),'y':$input.path('$.m.b')})$m|$m.x",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "{x=1, y=}|1",
    ),
    (
        "#if($input.path('$.l[0]')==1&&$input.path('$.l[3]')==2.5&&$input.path('$.l[0]')<2)T#end",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        "T",
    ),
    (
        "$input.path('$.m.keys()')|$input.path('$.m.length()')",
        r#"{"l":[1,true,null,2.50,"s",[3],{"k":4}],"m":{"a":1,"b":null,"c":false,"d":1.5,"e":"x"}}"#,
        r#"["a","b","c","d","e"]|5"#,
    ),
    (r#"$input.json('event_type').replaceAll('"', '')"#, r#"{"event_type":"ev"}"#, "ev"),
    ("#set($b=$input.path('$'))#if(!$b.x)no#{else}yes#end#if(!$b.x || $b.x == '')none#end", "{}", "yesnone"),
    ("#if($input.path('$.l').size() > 0 && $input.path('$.l')[0] == 'a')ok#end", r#"{"l":["a"]}"#, "ok"),
    (r#"#if($input.path('$.s').matches('^[a-z]+\d{2}$'))m#end"#, r#"{"s":"ab12"}"#, "m"),
    (r#"#if($input.path('$.s').toLowerCase().contains("err"))m#end"#, r#"{"s":"An ERROR"}"#, "m"),
    (r#"#set($x = "$input.path('$.a')-$input.path('$.b')")$x"#, r#"{"a":1,"b":2}"#, "1-2"),
    (r#"#set($x = "$input.json('$.a')")$x"#, r#"{"a":{"z":"q"}}"#, r#"{"z":"q"}"#),
    (r#"#set($q = '"')#set($x = "{${q}a${q}: ${q}$input.path('$.a')${q}}")$x"#, r#"{"a":1}"#, r#"{"a": "1"}"#),
    ("#set($x = {})#set($y = $x.put('a', $input.path('$.a')))$y$x", r#"{"a":1}"#, "{a=1}"),
    (r#"#if($input.body && $input.body != "{}" && $input.body != '')has#{else}none#end"#, "", "none"),
    (r#"#if("$input.body" == '{}')none#end"#, "", "none"),
    ("#set($s = $input.path('$.x').substring(0, 3))$s", "{}", ""),
    ("#if($input.path('$.a') == '')1#elseif($input.path('$.a').isEmpty())2#{else}3#end", r#"{"a":"x"}"#, "3"),
    ("$input.path('$.a').b.c.d()|", "{}", "|"),
];
